"""The reads that the desk's pages need of cases, versions and consents. Rows belong to the request's session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import defer, selectinload

from wfr.cases.checking import Gap, SourceGap, consent_problems, find_gaps, find_source_gaps
from wfr.cases.consenting import WARN_BEFORE, present_consent
from wfr.cases.documents import CaseDocument
from wfr.cases.drafting import editors_since_approval
from wfr.cases.models import Case, CaseStatus, CaseVersion, Consent, Season, VersionState
from wfr.cases.publishing import publication_problems
from wfr.cases.queries import today
from wfr.errors import NoSuchThing
from wfr.extensions import db
from wfr.staff.models import Account, Role
from wfr.staff.queries import account_names


@dataclass(frozen=True, slots=True)
class CaseAtDesk:
    """A case as the desk sees it: what visitors read, what waits, and who is in the way of what.

    `newest` is None only for a case loaded from files that nobody has touched; `shown` is the version visitors read.
    """

    case: Case
    newest: CaseVersion | None
    approved: CaseVersion | None
    shown: CaseVersion | None
    consent: Consent | None
    editors: set[int]

    @property
    def document(self) -> CaseDocument | None:
        """What the newest version says."""
        return CaseDocument.model_validate(self.newest.document) if self.newest else None

    def consent_problems(self) -> list[object]:
        """Return, in words, what the newest version says that nobody has agreed to."""
        document = self.document
        return consent_problems(self.consent, document, today()) if document else []

    def consent_ends_soon(self) -> bool:
        """Say whether the consent ends within `WARN_BEFORE`, or has ended."""
        return bool(self.case.consent_ends and self.case.consent_ends - today() <= WARN_BEFORE)

    def may_approve(self, account: Account) -> bool:
        """Say whether this account may approve the version that waits for review."""
        return account.may(Role.REVIEWER) and account.id not in self.editors

    def publication_problems(self) -> list[object]:
        """Return, in words, what keeps the approved version from being published."""
        return publication_problems(db.session, self.case, self.approved) if self.approved else []


def case_at_desk(slug: str) -> CaseAtDesk:
    """Return one case with everything its desk page shows; raises `NoSuchThing`."""
    case = db.session.scalar(
        select(Case)
        .where(Case.slug == slug)
        .options(*(selectinload(part) for part in (Case.season, Case.texts, Case.targets, Case.updates, Case.sources)))
    )
    if case is None:
        raise NoSuchThing(slug)
    return _at_desk(case, versions_of(case))


def cases_at_desk() -> list[CaseAtDesk]:
    """Return every case, those of the newest season first, in the season's order."""
    cases = db.session.scalars(
        select(Case)
        .outerjoin(Season, Season.id == Case.season_id)
        .order_by(Season.opens.desc(), Case.position, Case.id)
        .options(selectinload(Case.season))
    ).all()
    versions: dict[int, list[CaseVersion]] = {}
    # Without their documents: a list of cases needs the words of few, which come when they are asked for.
    newest_first = select(CaseVersion).order_by(CaseVersion.number.desc()).options(defer(CaseVersion.document))
    for version in db.session.scalars(newest_first):
        versions.setdefault(version.case_id, []).append(version)
    return [_at_desk(case, versions.get(case.id, [])) for case in cases]


def _at_desk(case: Case, versions: list[CaseVersion]) -> CaseAtDesk:
    decided = [v for v in versions if v.state in (VersionState.APPROVED, VersionState.PUBLISHED)]
    # One that was approved before the version visitors read now has had its time.
    waits = decided[0] if decided and decided[0].state == VersionState.APPROVED else None
    return CaseAtDesk(
        case=case,
        newest=versions[0] if versions else None,
        approved=waits,
        shown=next((version for version in decided if version.state == VersionState.PUBLISHED), None),
        consent=present_consent(db.session, case),
        editors=editors_since_approval(db.session, case),
    )


def versions_of(case: Case) -> list[CaseVersion]:
    """Return the versions of a case, newest first."""
    return list(
        db.session.scalars(
            select(CaseVersion).where(CaseVersion.case_id == case.id).order_by(CaseVersion.number.desc())
        )
    )


def version_of(case: Case, number: int) -> CaseVersion:
    """Return one version of a case; raises `NoSuchThing`."""
    version = db.session.scalar(select(CaseVersion).where(CaseVersion.case_id == case.id, CaseVersion.number == number))
    if version is None:
        raise NoSuchThing(f"{case.slug} {number}")
    return version


def consents_of(case: Case) -> list[Consent]:
    """Return the consent records of a case, newest first."""
    return list(db.session.scalars(select(Consent).where(Consent.case_id == case.id).order_by(Consent.id.desc())))


def names_of_accounts() -> dict[int, str]:
    """Return the name of every account by its id, for "who and when"."""
    return account_names(db.session)


def seasons_at_desk() -> list[Season]:
    """Return every season, the newest first."""
    return list(db.session.scalars(select(Season).order_by(Season.opens.desc())))


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits for somebody: the case, and what for."""

    case: Case
    what: str
    version: CaseVersion | None = None
    ends: date | None = None


def waiting_for(account: Account) -> list[Waiting]:
    """Return what waits for this account: reviews, publications, drafts given back, consents, cases to bring back.

    `what` is ``review``, ``publish``, ``held``, ``returned``, ``draft``, ``consent_ends``, ``consent_missing`` or
    ``return``, the most urgent first.
    """
    found = [waiting for at_desk in cases_at_desk() for waiting in _waiting(at_desk, account)]
    return sorted(found, key=lambda waiting: _URGENCY.index(waiting.what))


_URGENCY = ("return", "consent_ends", "held", "publish", "review", "returned", "consent_missing", "draft")


def _waiting(at_desk: CaseAtDesk, account: Account) -> list[Waiting]:
    case, newest = at_desk.case, at_desk.newest
    waiting: list[Waiting] = []
    if newest is not None:
        waiting += _waiting_version(at_desk, newest, account)
    approved = at_desk.approved
    if approved and account.may(Role.COORDINATOR) and approved.publish_at is None:
        waiting.append(Waiting(case, "held" if approved.note else "publish", approved))
    if at_desk.consent_ends_soon() and case.status in (CaseStatus.PUBLISHED, CaseStatus.PAUSED):
        waiting.append(Waiting(case, "consent_ends", ends=case.consent_ends))
    asked_by = case.return_asked_by
    if asked_by is not None and asked_by != account.id and account.may(Role.COORDINATOR):
        waiting.append(Waiting(case, "return"))
    return waiting


def _waiting_version(at_desk: CaseAtDesk, newest: CaseVersion, account: Account) -> list[Waiting]:
    if newest.state == VersionState.IN_REVIEW:
        found = [Waiting(at_desk.case, "review", newest)] if at_desk.may_approve(account) else []
        return found + ([Waiting(at_desk.case, "consent_missing")] if at_desk.consent_problems() else [])
    mine = account.id in (newest.changed_by, newest.begun_by, newest.submitted_by)
    if newest.state == VersionState.RETURNED and newest.note and mine:
        return [Waiting(at_desk.case, "returned", newest)]
    if newest.state == VersionState.DRAFT and mine:
        return [Waiting(at_desk.case, "draft", newest)]
    return []


def review_gaps(version: CaseVersion) -> tuple[list[Gap], list[SourceGap]]:
    """Return what a version lacks, and which of its sentences and addresses need a second look."""
    document = CaseDocument.model_validate(version.document)
    return find_gaps(document), find_source_gaps(document, today())
