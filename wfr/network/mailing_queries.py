"""The reads that the desk's pages of mailings need. Rows belong to the request's session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select

from wfr.cases.models import Case, CaseStatus
from wfr.errors import NoSuchThing, NotPossibleNow
from wfr.extensions import db, settings
from wfr.network.composing import Composed, compose, languages_of
from wfr.network.mailing_rules import problems_of
from wfr.network.models import (
    Mailing,
    MailingCase,
    MailingEditor,
    MailingState,
    MailingWords,
    UrgentAction,
    UrgentIssue,
)
from wfr.network.preparing import EDITABLE
from wfr.network.progress import Progress, progress_of
from wfr.staff.models import Account, Role

WAITING = (MailingState.IN_REVIEW, MailingState.DRAFT)
UNDER_WAY = (MailingState.RUNNING, MailingState.PAUSED, MailingState.APPROVED)
OVER = (MailingState.DONE, MailingState.STOPPED)

Row = TypeVar("Row", Case, UrgentAction, UrgentIssue)

NEWEST = 200
A_PAGE = 15
"""Mailings that are over, shown at a time."""


@dataclass(frozen=True, slots=True)
class MailingAtDesk:
    """A mailing as the desk sees it: with what it is about, what it says, and who may not approve it.

    `subject` is its first language's. `withdrawn` says that a case it speaks of was withdrawn: then its words are not
    shown any more.
    """

    mailing: Mailing
    case: Case | None
    action: UrgentAction | None
    issue: UrgentIssue | None
    subject: str
    writers: frozenset[int]
    withdrawn: bool

    @property
    def editable(self) -> bool:
        """Say whether its words may be changed."""
        return self.mailing.state in EDITABLE and not self.withdrawn

    @property
    def begun(self) -> bool:
        """Say whether messages were made of it."""
        return self.mailing.started_at is not None

    def progress(self) -> Progress:
        """Return how far it has come."""
        return progress_of(self.mailing)

    def may_approve(self, account: Account) -> bool:
        """Say whether this account may approve what waits for review."""
        return account.may(Role.REVIEWER) and account.id not in self.writers

    def waits_for(self, account: Account) -> bool:
        """Say whether the next step is this account's."""
        if self.withdrawn:
            return False
        if self.mailing.state == MailingState.PAUSED:
            return account.may(Role.REVIEWER)
        if self.mailing.state == MailingState.IN_REVIEW:
            return self.may_approve(account)
        return self.mailing.state == MailingState.DRAFT and (
            self.mailing.begun_by is None or account.id in self.writers
        )


@dataclass(frozen=True, slots=True)
class Mailings:
    """The mailings by what they need: somebody (`waiting`), time (`under_way`), nothing more (`over`, newest first).

    `older` is the id before which the next page of `over` begins, None on the last.
    """

    waiting: list[MailingAtDesk]
    under_way: list[MailingAtDesk]
    over: list[MailingAtDesk]
    older: int | None


def mailings_at_desk(before: int | None = None) -> Mailings:
    """Return the mailings for the desk's list; `before` is the id that this page of what is over comes before."""
    over = select(Mailing).where(Mailing.state.in_(OVER)).order_by(Mailing.id.desc()).limit(A_PAGE + 1)
    if before is not None:
        over = over.where(Mailing.id < before)
    found = db.session.scalars(over).all()
    return Mailings(
        waiting=_at_desk(_in_states(WAITING)),
        under_way=_at_desk(_in_states(UNDER_WAY)),
        over=_at_desk(found[:A_PAGE]),
        older=found[A_PAGE - 1].id if len(found) > A_PAGE else None,
    )


def mailings_waiting_for(account: Account) -> list[MailingAtDesk]:
    """Return the mailings whose next step is this account's: paused, handed in, or its own drafts and the digests."""
    states = (MailingState.PAUSED, MailingState.IN_REVIEW, MailingState.DRAFT)
    return [found for found in _at_desk(_in_states(states)) if found.waits_for(account)]


def mailing_at_desk(mailing_id: int) -> MailingAtDesk:
    """Return one mailing; raises `NoSuchThing`."""
    mailing = db.session.get(Mailing, mailing_id)
    if mailing is None:
        raise NoSuchThing(f"mailing {mailing_id}")
    (found,) = _at_desk([mailing])
    return found


def problems_at_desk(found: MailingAtDesk) -> list[object]:
    """Return, in words, everything that keeps a mailing from going out."""
    return problems_of(db.session, found.mailing)


def languages_at_desk(found: MailingAtDesk) -> list[str]:
    """Return the languages that a mailing has words in, English first."""
    return languages_of(db.session, found.mailing)


def writable_at_desk(found: MailingAtDesk) -> list[str]:
    """Return the languages that a mailing has words in or can be given words in, those it has first.

    What carries an issue has that issue's languages and no other.
    """
    there = languages_at_desk(found)
    return there if found.issue else there + [tag for tag in settings().languages if tag not in there]


def said_in(found: MailingAtDesk, language: str) -> MailingWords | None:
    """Return what the desk wrote of a mailing in a language, or None where nothing is."""
    return db.session.get(MailingWords, (found.mailing.id, language))


def composed_in(found: MailingAtDesk, language: str) -> Composed:
    """Return the whole message in a language: as it was approved, or as it would be now.

    Raises `NoSuchThing` for a language that it has no words in, `NotPossibleNow` where a case was withdrawn.
    """
    if found.withdrawn:
        raise NotPossibleNow("withdrawn")
    if language not in languages_at_desk(found):
        raise NoSuchThing(language)
    said = said_in(found, language)
    if said is not None and said.text is not None and said.html is not None:
        return Composed(said.subject, said.text, said.html)
    return compose(db.session, found.mailing, language)


def cases_with_followers() -> Sequence[Case]:
    """Return the cases whose followers can be written to: those that visitors see, by name."""
    seen = (CaseStatus.PUBLISHED, CaseStatus.PAUSED, CaseStatus.CLOSED)
    return db.session.scalars(select(Case).where(Case.status.in_(seen)).order_by(Case.name)).all()


def _in_states(states: Sequence[MailingState]) -> list[Mailing]:
    order = list(states)
    found = db.session.scalars(
        select(Mailing).where(Mailing.state.in_(order)).order_by(Mailing.id.desc()).limit(NEWEST)
    )
    return sorted(found, key=lambda each: order.index(MailingState(each.state)))


def _at_desk(mailings: Sequence[Mailing]) -> list[MailingAtDesk]:
    """Return mailings with what belongs to them, by as many reads as one needs."""
    if not mailings:
        return []
    ids = [mailing.id for mailing in mailings]
    issues = _rows(UrgentIssue, {mailing.issue_id for mailing in mailings})
    actions = _rows(UrgentAction, {issue.action_id for issue in issues.values()})
    cases = _rows(Case, {mailing.case_id for mailing in mailings})
    subjects, writers, withdrawn = _subjects(ids), _writers(mailings), _withdrawn(ids)
    found = []
    for mailing in mailings:
        issue = issues.get(mailing.issue_id or 0)
        found.append(
            MailingAtDesk(
                mailing=mailing,
                case=cases.get(mailing.case_id or 0),
                action=actions.get(issue.action_id) if issue else None,
                issue=issue,
                subject=subjects.get(mailing.id, ""),
                writers=frozenset(writers[mailing.id]),
                withdrawn=mailing.id in withdrawn,
            )
        )
    return found


def _rows(table: type[Row], ids: set[int | None]) -> dict[int, Row]:
    wanted = {each for each in ids if each is not None}
    found = db.session.scalars(select(table).where(table.id.in_(wanted))) if wanted else ()
    return {row.id: row for row in found}


def _subjects(ids: list[int]) -> dict[int, str]:
    """Return the subject of each mailing: the English one, or the first there is."""
    words = select(MailingWords.mailing_id, MailingWords.language, MailingWords.subject)
    found = db.session.execute(words.where(MailingWords.mailing_id.in_(ids)).order_by(MailingWords.language))
    subjects: dict[int, str] = {}
    for mailing_id, language, subject in found:
        if language == "en" or mailing_id not in subjects:
            subjects[mailing_id] = subject
    return subjects


def _writers(mailings: Sequence[Mailing]) -> dict[int, set[int]]:
    writers: dict[int, set[int]] = defaultdict(set)
    ids = [mailing.id for mailing in mailings]
    editors = select(MailingEditor.mailing_id, MailingEditor.account_id).where(MailingEditor.mailing_id.in_(ids))
    for mailing_id, account_id in db.session.execute(editors):
        writers[mailing_id].add(account_id)
    for mailing in mailings:
        if mailing.submitted_by is not None:
            writers[mailing.id].add(mailing.submitted_by)
    return writers


def _withdrawn(ids: list[int]) -> set[int]:
    spoken_of = select(MailingCase.mailing_id).join(Case, Case.id == MailingCase.case_id)
    gone = spoken_of.where(MailingCase.mailing_id.in_(ids), Case.status == CaseStatus.WITHDRAWN)
    return set(db.session.scalars(gone))
