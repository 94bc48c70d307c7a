"""Review: what one has written another one reads, and approves or gives back."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from wfr.cases.checking import find_gaps, find_source_gaps
from wfr.cases.documents import CaseDocument
from wfr.cases.drafting import editors_since_approval, lock_case, newest_version
from wfr.cases.models import Case, CaseVersion, VersionState
from wfr.errors import NotAllowed, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.staff.auditing import digest, record
from wfr.staff.models import Account, Actor, Role
from wfr.staff.rights import require_role


def submit(*, by: Actor, slug: str, revision: int) -> None:
    """Hand the open draft to review, and freeze it.

    Raises `NoSuchThing`, and `Refused` where there is no open draft, it has gaps, or it was saved since `revision`.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        version = _require(session, case, VersionState.DRAFT)
        if version.revision != revision:
            raise Refused(_l("Somebody has saved this draft since you looked at it. Look again, then hand it in."))
        if find_gaps(CaseDocument.model_validate(version.document)):
            raise Refused(_l("The draft has gaps: see what is marked in the editor."))
        version.state, version.note = VersionState.IN_REVIEW, None
        version.submitted_by, version.submitted_at = by.account_id, utc_now()
        record(session, by, "version.submitted", f"case:{case.id}", after={"version": version.number})


def take_back(*, by: Actor, slug: str) -> None:
    """Take a version back from review, so that writing can go on in the next draft. Raises `NoSuchThing`, `Refused`."""
    with transaction() as session:
        case = lock_case(session, slug)
        version = _require(session, case, VersionState.IN_REVIEW)
        version.state = VersionState.RETURNED
        record(session, by, "version.taken_back", f"case:{case.id}", after={"version": version.number})


def ask_for_change(*, by: Actor, slug: str, number: int, note: str) -> None:
    """Give a version back with what should change; the writers go on in the next draft.

    Raises `NoSuchThing`, `NotAllowed` for who may not review, and `Refused` without a note or where nothing waits.
    """
    if not note:
        raise Refused(_l("Say what should change."))
    with transaction() as session:
        case = lock_case(session, slug)
        version = _require(session, case, VersionState.IN_REVIEW, number)
        require_role(session, by, Role.REVIEWER)
        version.state, version.note = VersionState.RETURNED, note
        after = {"version": version.number, "note": digest(note)}
        record(session, by, "version.returned", f"case:{case.id}", after=after)


def approve(*, by: Actor, slug: str, number: int, sources_seen: bool) -> None:
    """Approve a version that waits for review.

    `sources_seen` says that the reviewer has looked at what has no source or an old one, where there is any.
    Raises `NoSuchThing`; `NotAllowed` for who may not review, and for everybody who has changed something since the
    last approved version; `Refused` where nothing waits or the sources were not looked at.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        version = _require(session, case, VersionState.IN_REVIEW, number)
        require_role(session, by, Role.REVIEWER)
        if by.account_id in editors_since_approval(session, case):
            raise NotAllowed(
                _l("You have changed this case since it was last approved. Somebody else must approve it.")
            )
        document = CaseDocument.model_validate(version.document)
        gaps = find_source_gaps(document, utc_now().date())
        if gaps and not sources_seen:
            raise Refused(_l("Look at the sentences without a source, and say that you have."))
        version.state = VersionState.APPROVED
        version.approved_by, version.approved_at = by.account_id, utc_now()
        after = {"version": version.number, "digest": document.digest(), "without_source": len(gaps)}
        record(session, by, "version.approved", f"case:{case.id}", after=after)


def _require(session: AnySession, case: Case, state: VersionState, number: int | None = None) -> CaseVersion:
    version = newest_version(session, case)
    if version.state != state or number not in (None, version.number):
        raise Refused(_l("Things have moved on: this version is not where you saw it. Look again."))
    return version


def may_approve(session: AnySession, case: Case, account: Account) -> bool:
    """Say whether this account could approve what is written of this case now."""
    return account.may(Role.REVIEWER) and account.id not in editors_since_approval(session, case)


def approved_version(session: AnySession, case: Case) -> CaseVersion | None:
    """Return the newest approved version that could still be published: later than the one published last; or None."""
    newest = session.scalar(
        select(CaseVersion)
        .where(CaseVersion.case_id == case.id, CaseVersion.state.in_((VersionState.APPROVED, VersionState.PUBLISHED)))
        .order_by(CaseVersion.number.desc())
        .limit(1)
    )
    return newest if newest is not None and newest.state == VersionState.APPROVED else None
