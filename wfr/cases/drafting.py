"""Writing: a new case, a draft of its next version, and going back to an earlier one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from wfr.cases.documents import CaseDocument, TextDocument, document_of
from wfr.cases.models import Case, CaseStatus, CaseVersion, Photograph, Season, VersionEditor, VersionState
from wfr.errors import NoSuchThing, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.staff.auditing import record
from wfr.staff.models import Actor

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
OPEN_STATES = (VersionState.DRAFT, VersionState.IN_REVIEW)
"""States of a version in which nothing else may be begun for its case."""

_IN_REVIEW = _l("This version is being reviewed. Take it back first, or wait for the answer.")


class SomebodyElseSaved(Refused):
    """The draft has changed since it was opened: saving now would lose somebody's words. `version` is what is there."""

    def __init__(self, version: CaseVersion) -> None:
        super().__init__(_l("Somebody else has saved this draft since you opened it. Your words are still below."))
        self.version = version


def lock_case(session: AnySession, slug: str) -> Case:
    """Return the case at this address, locked until the caller's transaction ends; raises `NoSuchThing`."""
    case = session.scalar(
        select(Case).where(Case.slug == slug).with_for_update().execution_options(populate_existing=True)
    )
    if case is None:
        raise NoSuchThing(slug)
    return case


def newest_version(session: AnySession, case: Case) -> CaseVersion:
    """Return the newest version of a case.

    What was loaded from files has none: it becomes version 1 here, inside the caller's transaction, as it stands.
    """
    newest = session.scalar(
        select(CaseVersion).where(CaseVersion.case_id == case.id).order_by(CaseVersion.number.desc()).limit(1)
    )
    if newest is None:
        now = utc_now()
        newest = CaseVersion(
            case_id=case.id,
            number=1,
            state=VersionState.PUBLISHED if case.status != CaseStatus.DRAFT else VersionState.DRAFT,
            document=document_of(case).as_json(),
            begun_at=now,
            changed_at=now,
            published_at=now if case.status != CaseStatus.DRAFT else None,
        )
        session.add(newest)
        session.flush()
    return newest


def editors_since_approval(session: AnySession, case: Case) -> set[int]:
    """Return the ids of everybody who changed something since the last approved version of this case."""
    approved = session.scalar(
        select(func.max(CaseVersion.number)).where(
            CaseVersion.case_id == case.id,
            CaseVersion.state.in_((VersionState.APPROVED, VersionState.PUBLISHED)),
        )
    )
    rows = session.scalars(
        select(VersionEditor.account_id)
        .join(CaseVersion, CaseVersion.id == VersionEditor.version_id)
        .where(CaseVersion.case_id == case.id, CaseVersion.number > (approved or 0))
    )
    return set(rows)


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a new case begins with; without a `deadline` it has its season's."""

    slug: str
    name: str
    country: str
    season_id: int | None
    language: str = "en"
    deadline: date | None = None


def begin_case(*, by: Actor, new: NewCase) -> str:
    """Begin a case with an empty draft and return its slug; raises `Refused` where the address cannot be had."""
    with transaction() as session:
        return add_case(session, by, new).slug


def add_case(session: AnySession, by: Actor, new: NewCase) -> Case:
    """Add a case with an empty draft, inside the caller's transaction; raises as `begin_case` does."""
    if not SLUG.fullmatch(new.slug):
        raise Refused(_l("The address may have small letters, digits and hyphens: ada-vale"))
    if session.scalar(select(Case.id).where(Case.slug == new.slug)):
        raise Refused(_l("There is a case at this address already."))
    season = session.get(Season, new.season_id) if new.season_id else None
    last = session.scalar(select(func.max(Case.position)).where(Case.season_id == new.season_id)) or 0
    case = Case(slug=new.slug, name=new.name, country=new.country, season=season, position=last + 1, kinds=[])
    session.add(case)
    session.flush()
    deadline = new.deadline or (season.closes if season else None)
    document = CaseDocument(name=new.name, country=new.country, deadline=deadline, texts={new.language: TextDocument()})
    version = add_version(session, by, case, document, based_on=None)
    add_editor(session, by, version)
    record(session, by, "case.begun", f"case:{case.id}", after={"version": version.number})
    return case


def add_version(
    session: AnySession, by: Actor, case: Case, document: CaseDocument, *, based_on: int | None
) -> CaseVersion:
    """Add the next version of a case as a draft, inside the caller's transaction."""
    last = session.scalar(select(func.max(CaseVersion.number)).where(CaseVersion.case_id == case.id)) or 0
    now = utc_now()
    version = CaseVersion(
        case_id=case.id,
        number=last + 1,
        document=document.as_json(),
        based_on=based_on,
        begun_by=by.account_id,
        begun_at=now,
        changed_by=by.account_id,
        changed_at=now,
    )
    session.add(version)
    session.flush()
    return version


def add_editor(session: AnySession, by: Actor, version: CaseVersion) -> None:
    """Remember that somebody changed a version, inside the caller's transaction."""
    if by.account_id is not None and not session.get(VersionEditor, (version.id, by.account_id)):
        session.add(VersionEditor(version_id=version.id, account_id=by.account_id))
        session.flush()


def begin_draft(*, by: Actor, slug: str) -> int:
    """Begin the next version of a case from its newest and return its number; an open draft is returned as it is.

    Raises `NoSuchThing`, and `Refused` while a version is in review.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        return _open_draft(session, by, case).number


def _open_draft(session: AnySession, by: Actor, case: Case) -> CaseVersion:
    newest = newest_version(session, case)
    if newest.state == VersionState.DRAFT:
        return newest
    if newest.state == VersionState.IN_REVIEW:
        raise Refused(_IN_REVIEW)
    document = CaseDocument.model_validate(newest.document)
    draft = add_version(session, by, case, document, based_on=newest.number)
    if newest.state == VersionState.RETURNED:
        draft.note = newest.note
    record(session, by, "version.begun", f"case:{case.id}", after={"version": draft.number, "from": newest.number})
    return draft


def save_draft(*, by: Actor, slug: str, revision: int, document: CaseDocument) -> CaseVersion:
    """Save a draft, as its editor does every few seconds, and return it with its new revision.

    `revision` is the one that was opened. Saving what is there already changes nothing.
    Raises `NoSuchThing`, `Refused` where there is no open draft, and `SomebodyElseSaved`.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        draft = _require_draft(session, case)
        if draft.document == document.as_json():
            return draft
        if draft.revision != revision:
            raise SomebodyElseSaved(draft)
        _change(session, by, case, draft, document)
        return draft


def _require_draft(session: AnySession, case: Case) -> CaseVersion:
    newest = newest_version(session, case)
    if newest.state != VersionState.DRAFT:
        raise Refused(_l("This version is not a draft any more. Begin a new one to change the case."))
    return newest


def _change(session: AnySession, by: Actor, case: Case, draft: CaseVersion, document: CaseDocument) -> None:
    before = CaseDocument.model_validate(draft.document)
    draft.document = document.as_json()
    draft.revision += 1
    draft.changed_by, draft.changed_at = by.account_id, utc_now()
    add_editor(session, by, draft)
    record(
        session,
        by,
        "version.saved",
        f"case:{case.id}",
        before={"digest": before.digest()},
        after={"version": draft.number, "digest": document.digest(), "parts": changed_parts(before, document)},
    )


def changed_parts(before: CaseDocument, after: CaseDocument) -> list[str]:
    """Return the names of the parts in which two documents differ, such as ``texts.en.story``."""
    old, new = _flat(before.as_json()), _flat(after.as_json())
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in document.items() if name != "texts"}
    for language, text in document["texts"].items():
        flat |= {f"texts.{language}.{part}": value for part, value in text.items()}
    return flat


def set_photograph(
    *, by: Actor, slug: str, photograph: str | None, alt: dict[str, str], credit: str | None
) -> CaseVersion:
    """Put a stored photograph into a case's open draft, or take it out, and return the draft.

    Raises `NoSuchThing` for a case or photograph that is not there, and `Refused` where no draft is open.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        draft = _require_draft(session, case)
        if photograph and session.get(Photograph, photograph) is None:
            raise NoSuchThing(photograph)
        document = CaseDocument.model_validate(draft.document)
        document.photograph, document.photograph_credit = photograph, credit
        for language, text in document.texts.items():
            text.photograph_alt = alt.get(language, text.photograph_alt) if photograph else ""
        if document.as_json() != draft.document:
            _change(session, by, case, draft, document)
        return draft


def revert_to(*, by: Actor, slug: str, number: int) -> int:
    """Begin a draft that says what version `number` said, and return its number; it goes the way of every draft.

    An open draft is set aside: it stays in the history. Raises `NoSuchThing`, and `Refused` while a version is in
    review.
    """
    with transaction() as session:
        case = lock_case(session, slug)
        newest = newest_version(session, case)
        if newest.state == VersionState.IN_REVIEW:
            raise Refused(_IN_REVIEW)
        wanted = session.scalar(select(CaseVersion).where(CaseVersion.case_id == case.id, CaseVersion.number == number))
        if wanted is None:
            raise NoSuchThing(f"{slug} {number}")
        if newest.state == VersionState.DRAFT:
            newest.state = VersionState.RETURNED
        draft = add_version(session, by, case, CaseDocument.model_validate(wanted.document), based_on=number)
        # Choosing which words are said is a change, even where no word is new.
        add_editor(session, by, draft)
        record(session, by, "version.reverted", f"case:{case.id}", after={"version": draft.number, "to": number})
        return draft.number
