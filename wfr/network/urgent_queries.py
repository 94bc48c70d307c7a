"""The reads that pages, mails and feeds need of Urgent Actions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import defer

from wfr.cases.models import Case, CaseStatus, Standing
from wfr.cases.queries import shelf, today
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, db, kept
from wfr.network.models import UrgentAction, UrgentIssue
from wfr.pages import SHELF_SECONDS

CHAINS_KEPT = 200
LAST_IN_TH = 20
"""The last number that is counted as 11th is, without a gap."""

_NUMBER = re.compile(r"\D*(\d+)\s*/\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Chain:
    """An Urgent Action and what was issued of it, the oldest first, never empty. The rows are detached.

    The issues lack `document` and `words`: `issued_document` has the one.
    """

    action: UrgentAction
    issues: tuple[UrgentIssue, ...]

    @property
    def newest(self) -> UrgentIssue:
        """The issue that counts now."""
        return self.issues[-1]

    @property
    def ended(self) -> bool:
        """Whether no further action is requested."""
        return self.newest.outcome


def urgent_of(case_id: int) -> UrgentAction | None:
    """Return the Urgent Action that a case is, or None where it is none."""
    return db.session.scalar(select(UrgentAction).where(UrgentAction.case_id == case_id))


def issues_of(session: AnySession, case_id: int) -> list[UrgentIssue]:
    """Return what was issued of a case's Urgent Action, the oldest first."""
    found = (
        select(UrgentIssue)
        .join(UrgentAction, UrgentAction.id == UrgentIssue.action_id)
        .where(UrgentAction.case_id == case_id, UrgentIssue.issued_at.is_not(None))
        .order_by(UrgentIssue.ordinal)
    )
    return list(session.scalars(found))


def ordinal_words(issue: UrgentIssue) -> str:
    """Return which issue of its Urgent Action this is, as activists say it: First UA, Second UA … 11th UA."""
    words = (
        _("First UA"),
        _("Second UA"),
        _("Third UA"),
        _("Fourth UA"),
        _("Fifth UA"),
        _("Sixth UA"),
        _("Seventh UA"),
        _("Eighth UA"),
        _("Ninth UA"),
        _("Tenth UA"),
    )
    if issue.ordinal <= len(words):
        return str(words[issue.ordinal - 1])
    if issue.ordinal <= LAST_IN_TH:
        return str(_("%(ordinal)sth UA", ordinal=issue.ordinal))
    return str(_("UA issue %(ordinal)s", ordinal=issue.ordinal))


def bare_number(action: UrgentAction) -> str:
    """Return an Urgent Action's number without the letters before it, as it stands behind "First UA": 12/26."""
    return action.number.removeprefix("UA").strip() or action.number


def chain_of(case: Case) -> Chain | None:
    """Return the chain of a case, a moment old at most; None for a season's case and before its First UA is issued."""
    if case.season_id is not None:
        return None
    found = kept().get(f"chain {case.id}", SHELF_SECONDS, lambda: _read_chains(UrgentAction.case_id == case.id))
    kept().keep_newest("chain ", CHAINS_KEPT)
    return found.get(case.id)


def urgent_now(at_most: int | None = None) -> list[tuple[Case, Chain]]:
    """Return the Urgent Actions that can be acted on today, the first deadline first, a moment old at most."""
    chains = kept().get("urgent now", SHELF_SECONDS, _read_running)
    day = today()
    running = [
        (case, chains[case.id])
        for case in shelf().cases.values()
        if case.id in chains and case.standing(day) is Standing.OPEN
    ]
    running.sort(key=lambda pair: (pair[0].deadline or date.max, pair[0].id))
    return running[:at_most]


def _read_running() -> dict[int, Chain]:
    return _read_chains(Case.season_id.is_(None), Case.status == CaseStatus.PUBLISHED, Case.deadline >= today())


def newest_issued(at_most: int) -> list[tuple[Case, UrgentAction, UrgentIssue]]:
    """Return what was issued last, the newest first, for the feed; what may be shown is for its reader to ask."""
    rows = db.session.execute(
        select(UrgentAction, UrgentIssue)
        .join(UrgentIssue, UrgentIssue.action_id == UrgentAction.id)
        .where(UrgentIssue.issued_at.is_not(None))
        .order_by(UrgentIssue.issued_at.desc(), UrgentIssue.id.desc())
        .options(defer(UrgentIssue.words))
        .limit(at_most)
    ).all()
    return [(case, action, issue) for action, issue in rows if (case := _on_shelf(action.case_id)) is not None]


def _on_shelf(case_id: int) -> Case | None:
    try:
        return shelf().by_id(case_id)
    except NoSuchThing:
        return None


def issued_document(chain: Chain, ordinal: int) -> UrgentIssue:
    """Return one issue of a chain with its document; raises `NoSuchThing`."""
    issue = db.session.scalar(
        select(UrgentIssue).where(
            UrgentIssue.action_id == chain.action.id,
            UrgentIssue.ordinal == ordinal,
            UrgentIssue.issued_at.is_not(None),
        )
    )
    if issue is None:
        raise NoSuchThing(str(ordinal))
    return issue


def first_days(case_ids: Iterable[int]) -> dict[int, date]:
    """Return the day on which the First UA of each of these cases was issued, for those that have one."""
    rows = db.session.execute(
        select(UrgentAction.case_id, UrgentIssue.issued_on)
        .join(UrgentIssue, UrgentIssue.action_id == UrgentAction.id)
        .where(UrgentAction.case_id.in_(list(case_ids)), UrgentIssue.ordinal == 1, UrgentIssue.issued_on.is_not(None))
    )
    return {case_id: day for case_id, day in rows if day}


def next_number(year: int) -> str:
    """Suggest the number of the next Urgent Action of a year: ``UA 13/26`` after ``UA 12/26``."""
    of_year = db.session.scalars(select(UrgentAction.number).where(UrgentAction.number.like(f"%/{year % 100:02}")))
    found = [int(parts[1]) for number in of_year if (parts := _NUMBER.fullmatch(number))]
    return f"UA {max(found, default=0) + 1}/{year % 100:02}"


def _read_chains(*which: ColumnElement[bool]) -> dict[int, Chain]:
    query: Select[UrgentAction, UrgentIssue] = (
        select(UrgentAction, UrgentIssue)
        .join(UrgentIssue, UrgentIssue.action_id == UrgentAction.id)
        .join(Case, Case.id == UrgentAction.case_id)
        .where(UrgentIssue.issued_at.is_not(None), *which)
        .order_by(UrgentAction.id, UrgentIssue.ordinal)
        .options(defer(UrgentIssue.document), defer(UrgentIssue.words))
    )
    found: dict[int, list[UrgentIssue]] = {}
    actions: dict[int, UrgentAction] = {}
    with db.session.session_factory() as session:
        for action, issue in session.execute(query):
            actions[action.case_id] = action
            found.setdefault(action.case_id, []).append(issue)
        session.expunge_all()
    return {case_id: Chain(actions[case_id], tuple(issues)) for case_id, issues in found.items()}
