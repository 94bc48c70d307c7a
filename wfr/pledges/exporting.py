"""The export: actions by day, case, kind and country, as CSV of which no spreadsheet takes a cell for a formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Date, func, select
from sqlalchemy import case as sql_case

from wfr.cases.models import Case, CaseStatus
from wfr.extensions import AnySession, db, transaction
from wfr.pledges.models import STANDING, Correction, CorrectionState, CountedParcel, Pledge, PledgeState
from wfr.staff import auditing
from wfr.staff.models import Actor

COLUMNS = ("day", "case", "kind", "country", "pledged", "taken", "withdrawn", "corrections", "parcels", "simulated")
# Spreadsheets on the desk's machines read a file without this mark in their country's old encoding, and spoil names.
BYTE_ORDER_MARK = "\ufeff"
LINES_A_PIECE = 500

_BEGINS_FORMULA = frozenset("=+-@\u2212")
_CONTROLS = frozenset("\t\r\n")

Key = tuple[date, int, str, str]
"""(day, case id, kind, country)"""


@dataclass(slots=True)
class Actions:
    """The actions of one day, case, kind and country.

    `pledged` counts what was pledged that day and not taken back since, `taken` and `simulated` parts of it;
    `withdrawn` counts what was taken back since; `corrections` is what corrections entered that day add, and `parcels`
    what parcels counted that day add. Pledges that a counted parcel has superseded are in none of them.
    """

    pledged: int = 0
    taken: int = 0
    withdrawn: int = 0
    corrections: int = 0
    parcels: int = 0
    simulated: int = 0


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported: the lines in order, and the words that stand for each case."""

    lines: list[tuple[Key, Actions]]
    case_names: dict[int, str]


def export_actions(*, by: Actor) -> Export:
    """Return all actions by day, case, kind and country, and record who took them and how many lines they were.

    Raises `DatabaseAway`.
    """
    # Read before the transaction that records it: on SQLite that one keeps every visitor's pledge waiting.
    db.session.rollback()
    lines = sorted(_read_actions(db.session).items())
    names = dict(_case_names(db.session))
    with transaction() as session:
        auditing.record(session, by, "actions.exported", "table:pledges", after={"rows": len(lines)})
    return Export(lines, names)


def as_csv(export: Export) -> Iterator[str]:
    """Yield the export as CSV (RFC 4180), piece by piece, beginning with a byte order mark and the names of columns."""
    return write_csv(COLUMNS, (_cells(export, key, actions) for key, actions in export.lines))


def write_csv(columns: Iterable[str], rows: Iterable[Iterable[str | int]]) -> Iterator[str]:
    """Yield rows as CSV, piece by piece: numbers as numbers, and words such that they stay words (`text_cell`)."""
    paper = io.StringIO()
    writer = csv.writer(paper)
    paper.write(BYTE_ORDER_MARK)
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow([text_cell(cell) if isinstance(cell, str) else cell for cell in row])
        if number % LINES_A_PIECE == 0:
            yield paper.getvalue()
            paper.seek(0)
            paper.truncate()
    yield paper.getvalue()


def text_cell(words: str) -> str:
    """Return `words` as a cell that no spreadsheet computes: what could begin a formula gets an apostrophe before it.

    That is = + - @ in any width, even behind spaces or characters that show nothing, and a tab or a line break.
    """
    first = next((mark for mark in words if not _is_unseen(mark)), "")
    dangerous = words[:1] in _CONTROLS or unicodedata.normalize("NFKC", first)[:1] in _BEGINS_FORMULA
    return f"'{words}" if dangerous else words


def _is_unseen(mark: str) -> bool:
    return mark.isspace() or unicodedata.category(mark) in ("Cc", "Cf")


def _cells(export: Export, key: Key, actions: Actions) -> tuple[str | int, ...]:
    day, case_id, kind, country = key
    return (
        day.isoformat(),
        export.case_names.get(case_id, str(case_id)),
        kind,
        country,
        actions.pledged,
        actions.taken,
        actions.withdrawn,
        actions.corrections,
        actions.parcels,
        actions.simulated,
    )


def _read_actions(session: AnySession) -> dict[Key, Actions]:
    found: dict[Key, Actions] = {}
    for key, figures in _pledged(session):
        found[key] = Actions(**figures)
    for key, number in _corrected(session):
        found.setdefault(key, Actions()).corrections += number
    for parcel in session.scalars(select(CountedParcel)):
        key = (parcel.entered_at.date(), parcel.case_id, parcel.kind, parcel.country)
        found.setdefault(key, Actions()).parcels += parcel.number
    return found


def _pledged(session: AnySession) -> Iterator[tuple[Key, dict[str, int]]]:
    day = func.date(Pledge.pledged_at, type_=Date)
    stands = Pledge.state.in_(STANDING)
    sums: dict[str, Any] = {
        "pledged": stands,
        "taken": Pledge.state == PledgeState.TAKEN,
        "withdrawn": Pledge.state == PledgeState.WITHDRAWN,
        "simulated": stands & Pledge.simulated,
    }
    parts = (day, Pledge.case_id, Pledge.kind, Pledge.country)
    rows = session.execute(
        select(*parts, *(func.sum(sql_case((condition, 1), else_=0)) for condition in sums.values())).group_by(*parts)
    )
    for found_day, case_id, kind, country, *figures in rows:
        yield (found_day, case_id, kind, country), dict(zip(sums, map(int, figures), strict=True))


def _corrected(session: AnySession) -> Iterator[tuple[Key, int]]:
    for correction in session.scalars(select(Correction).where(Correction.state == CorrectionState.ENTERED)):
        if correction.decided_at:
            day = correction.decided_at.date()
            yield (day, correction.case_id, correction.kind, correction.country), correction.number


def _case_names(session: AnySession) -> Iterator[tuple[int, str]]:
    """Yield the name of each case. A file travels: somebody whose case was withdrawn is not named in it."""
    for case_id, name, status in session.execute(select(Case.id, Case.name, Case.status)):
        yield case_id, f"withdrawn case {case_id}" if status == CaseStatus.WITHDRAWN else name
