"""Mailings on their way to being sent: written by one, approved by another, always."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from wfr.cases.models import Case, CaseStatus
from wfr.errors import NoSuchThing, NotAllowed, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.jobs import ring
from wfr.network.composing import first_words, freeze_words
from wfr.network.delivering import QUEUE
from wfr.network.mailing_rules import problems_of, words_of
from wfr.network.models import (
    IssueEditor,
    Mailing,
    MailingCase,
    MailingEditor,
    MailingState,
    MailingWords,
    Sort,
    UrgentAction,
    UrgentIssue,
)
from wfr.network.naming import add_named_cases
from wfr.staff.auditing import Values, digest, record
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

EDITABLE = (MailingState.DRAFT, MailingState.IN_REVIEW)
"""The states in which the words of a mailing may be changed."""

MOVED_ON = _l("Things have moved on: this mailing is not as you saw it. Look again.")


@dataclass(frozen=True, slots=True)
class Said:
    """What the desk says in one language: the subject, and its own words in Markdown."""

    language: str
    subject: str
    words: str


def begin_mailing(
    session: AnySession,
    *,
    by: Actor,
    sort: Sort,
    issue: UrgentIssue | None = None,
    case_id: int | None = None,
    writers: AbstractSet[int] = frozenset(),
) -> Mailing:
    """Store a new mailing with what it says anyway, inside the caller's transaction.

    With an `issue` the mailing is about that issue's case, and whoever has changed the issue counts as its editor, as
    do the `writers` of its case's words. What it says was approved with the issue, so it waits for review at once; who
    issued it may approve it.
    """
    if issue is not None:
        case_id = session.get_one(UrgentAction, issue.action_id).case_id
    mailing = Mailing(
        sort=sort,
        issue_id=issue.id if issue else None,
        case_id=case_id,
        asks=sort == Sort.URGENT,
        begun_by=by.account_id,
    )
    session.add(mailing)
    session.flush()
    if case_id is not None:
        session.add(MailingCase(mailing_id=mailing.id, case_id=case_id))
    editors = _editors_of_issue(session, issue) | writers if issue else {by.account_id}
    session.add_all(MailingEditor(mailing_id=mailing.id, account_id=each) for each in editors if each is not None)
    session.flush()
    first_words(session, mailing)
    if issue is not None:
        mailing.state, mailing.submitted_by, mailing.submitted_at = MailingState.IN_REVIEW, issue.changed_by, utc_now()
    session.flush()
    note(session, by, "begun", mailing, after={"sort": mailing.sort, "issue": mailing.issue_id, "case": case_id})
    return mailing


def begin_news(*, by: Actor, case_id: int) -> int:
    """Begin a mailing to those who follow a case, as a draft, and return its id.

    Raises `NotAllowed`, `NoSuchThing`, and `Refused` for a case that visitors do not see.
    """
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        case = session.get(Case, case_id)
        if case is None:
            raise NoSuchThing(f"case {case_id}")
        if case.status in (CaseStatus.DRAFT, CaseStatus.WITHDRAWN):
            raise Refused(_l("Visitors do not see this case: its followers cannot be written to."))
        mailing = begin_mailing(session, by=by, sort=Sort.NEWS, case_id=case_id)
    return mailing.id


def change_mailing(*, by: Actor, mailing_id: int, revision: int, said: Said) -> None:
    """Change what a mailing says in one language; it is a draft again, whoever had it before them.

    Where subject and words are empty the mailing goes without that language: its readers get the next of theirs.
    Raises `NoSuchThing`, `NotAllowed`, and `Refused` where it was changed since `revision`, is past review, or would be
    left without a language, or names a case that may not be told of.
    """
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        mailing = lock_mailing(session, mailing_id, revision)
        require_state(mailing, *EDITABLE)
        before = digest_of(session, mailing)
        _put_words(session, mailing, said)
        add_named_cases(session, mailing)
        _back_to_draft(mailing)
        _add_editor(session, by, mailing)
        after = {"language": said.language, "digest": digest_of(session, mailing)}
        note(session, by, "changed", mailing, before={"digest": before}, after=after)


def submit_mailing(*, by: Actor, mailing_id: int, revision: int) -> None:
    """Hand a draft to review. Raises `NoSuchThing`, `NotAllowed`, and `Refused` with everything that is in its way."""
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        mailing = lock_mailing(session, mailing_id, revision)
        require_state(mailing, MailingState.DRAFT)
        require_no_problems(session, mailing)
        mailing.state, mailing.note = MailingState.IN_REVIEW, None
        mailing.submitted_by, mailing.submitted_at = by.account_id, utc_now()
        touch(mailing)
        note(session, by, "submitted", mailing)


def return_mailing(*, by: Actor, mailing_id: int, revision: int, words: str) -> None:
    """Give a mailing in review back with what should change. Raises `NoSuchThing`, `NotAllowed`, `Refused`."""
    if not words.strip():
        raise Refused(_l("Say what should change."))
    with transaction() as session:
        require_role(session, by, Role.REVIEWER)
        mailing = lock_mailing(session, mailing_id, revision)
        require_state(mailing, MailingState.IN_REVIEW)
        _back_to_draft(mailing)
        mailing.note = words.strip()
        note(session, by, "returned", mailing, after={"note": digest(words)})


def approve_mailing(*, by: Actor, mailing_id: int, revision: int, start_at: datetime | None = None) -> None:
    """Let a mailing go out: now, or at the hour `start_at` (UTC). What it says is fixed in this moment.

    Raises `NoSuchThing`; `NotAllowed` for who may not review, and for everybody who wrote or handed in what it says;
    `Refused` where it does not wait for review, its hour has passed, or something is in its way.
    """
    with transaction() as session:
        require_role(session, by, Role.REVIEWER)
        mailing = lock_mailing(session, mailing_id, revision)
        require_state(mailing, MailingState.IN_REVIEW)
        if by.account_id in writers_of(session, mailing):
            raise NotAllowed(_l("You wrote this mailing or handed it in: somebody else must approve it."))
        now = utc_now()
        if start_at is not None and start_at < now:
            raise Refused(_l("That hour has passed: choose a later one, or none."))
        require_no_problems(session, mailing)
        mailing.state, mailing.why, mailing.note = MailingState.APPROVED, None, None
        mailing.start_at, mailing.approved_by, mailing.approved_at = start_at or now, by.account_id, now
        freeze_words(session, mailing)
        touch(mailing)
        after = {"digest": digest_of(session, mailing), "at": mailing.start_at.isoformat(timespec="minutes")}
        note(session, by, "approved", mailing, after=after)
    if start_at is None:
        ring(QUEUE)


def unschedule_mailing(*, by: Actor, mailing_id: int, revision: int) -> None:
    """Take an approved mailing that has not begun back to review. Raises `NoSuchThing`, `NotAllowed`, `Refused`."""
    with transaction() as session:
        require_role(session, by, Role.WRITER)
        mailing = lock_mailing(session, mailing_id, revision)
        require_state(mailing, MailingState.APPROVED)
        back_to_review(session, mailing)
        note(session, by, "unscheduled", mailing)


def back_to_review(session: AnySession, mailing: Mailing) -> None:
    """Make an approved mailing wait for review again, inside the caller's transaction; its words are fixed no more."""
    mailing.state = MailingState.IN_REVIEW
    mailing.start_at = mailing.approved_by = mailing.approved_at = None
    for words in words_of(session, mailing):
        words.text = words.html = None
    touch(mailing)


def lock_mailing(session: AnySession, mailing_id: int, revision: int | None = None) -> Mailing:
    """Return a mailing, locked; raises `NoSuchThing`, and `Refused` where it has changed since `revision`."""
    mailing = session.get(Mailing, mailing_id, with_for_update=True, populate_existing=True)
    if mailing is None:
        raise NoSuchThing(f"mailing {mailing_id}")
    if revision not in (None, mailing.revision):
        raise Refused(MOVED_ON)
    return mailing


def require_state(mailing: Mailing, *states: MailingState) -> None:
    """Raise `Refused` unless the mailing is in one of these states."""
    if mailing.state not in states:
        raise Refused(MOVED_ON)


def require_no_problems(session: AnySession, mailing: Mailing) -> None:
    """Raise `Refused` with everything that keeps the mailing from going out."""
    problems = problems_of(session, mailing)
    if problems:
        raise Refused(" ".join(map(str, problems)))


def writers_of(session: AnySession, mailing: Mailing) -> set[int]:
    """Return the accounts that wrote or handed in what a mailing says; none of them may approve it."""
    editors = select(MailingEditor.account_id).where(MailingEditor.mailing_id == mailing.id)
    submitter = {mailing.submitted_by} if mailing.submitted_by is not None else set()
    return set(session.scalars(editors)) | submitter


def note(
    session: AnySession,
    by: Actor,
    what: str,
    mailing: Mailing,
    *,
    before: Values | None = None,
    after: Values | None = None,
) -> None:
    """Enter in the audit trail what was done to a mailing."""
    record(session, by, f"mailing.{what}", f"mailing:{mailing.id}", before=before, after=after)


def digest_of(session: AnySession, mailing: Mailing) -> str:
    """Return the keyed digest of everything a mailing says."""
    parts = [part for each in words_of(session, mailing) for part in (each.language, each.subject, each.words)]
    return digest("\n".join(parts))


def touch(mailing: Mailing) -> None:
    """Count a change, so that who saw the mailing before must look again."""
    mailing.revision += 1
    mailing.changed_at = utc_now()


def _editors_of_issue(session: AnySession, issue: UrgentIssue) -> set[int | None]:
    editors = select(IssueEditor.account_id).where(IssueEditor.issue_id == issue.id)
    return {issue.changed_by, *session.scalars(editors)}


def _put_words(session: AnySession, mailing: Mailing, said: Said) -> None:
    rows = {each.language: each for each in words_of(session, mailing)}
    row = rows.get(said.language)
    if said.subject or said.words:
        if row is None:
            row = MailingWords(mailing_id=mailing.id, language=said.language)
            session.add(row)
        row.subject, row.words = said.subject, said.words
    elif rows.keys() == {said.language}:
        raise Refused(_l("This is its only language: it must say something."))
    elif row is not None:
        session.delete(row)
    session.flush()


def _back_to_draft(mailing: Mailing) -> None:
    mailing.state, mailing.note, mailing.why = MailingState.DRAFT, None, None
    mailing.submitted_by = mailing.submitted_at = None
    touch(mailing)


def _add_editor(session: AnySession, by: Actor, mailing: Mailing) -> None:
    if by.account_id is not None and session.get(MailingEditor, (mailing.id, by.account_id)) is None:
        session.add(MailingEditor(mailing_id=mailing.id, account_id=by.account_id))
        session.flush()
