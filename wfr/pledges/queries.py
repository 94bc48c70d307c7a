"""The reads of the tally that pages need; every process reads the counters at most once a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import func, select

from wfr.cases.models import Case, CaseStatus, Kind, Standing
from wfr.cases.queries import Shelf
from wfr.extensions import db, kept
from wfr.pledges.models import Correction, CorrectionState, CountedParcel
from wfr.pledges.tallying import Figures, read_figures
from wfr.staff.models import Account

BOARD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Board:
    """The tally at one moment: the world's figures and each case's.

    `corrections` and `parcels`, letters and cards counted in school parcels, are parts of the world's total.
    """

    as_of: datetime
    world: Figures
    by_case: dict[int, Figures]
    corrections: int = 0
    parcels: int = 0

    def of(self, case: Case | None = None) -> Figures:
        """Return the figures of one case, or the world's."""
        return self.world if case is None else self.by_case.get(case.id, Figures())


def board() -> Board:
    """Return the tally, at most `BOARD_SECONDS` old (or twice that, while another request is reading it)."""
    return kept().get("board", BOARD_SECONDS, _read_board)


def _read_board() -> Board:
    with db.session.session_factory() as session:
        by_case = read_figures(session)
        entered = select(func.sum(Correction.number)).where(Correction.state == CorrectionState.ENTERED)
        corrections = int(session.scalar(entered) or 0)
        parcels = int(session.scalar(select(func.sum(CountedParcel.number))) or 0)
    world = Figures()
    for figures in by_case.values():
        for kind, count in figures.kinds.items():
            world.add_kind(kind, count.pledged, count.taken, count.simulated)
    return Board(datetime.now(UTC), world, by_case, corrections, parcels)


@dataclass(frozen=True, slots=True)
class PublicCorrections:
    """The corrections entered, as everybody may read them: those of cases on the shelf, newest first, and the rest.

    A withdrawn case is not named, and no reason is given that could name it: `unnamed` sums up its corrections.
    """

    named: list[tuple[Correction, Case]]
    unnamed_entries: int
    unnamed: int


def public_corrections(cases: Shelf) -> PublicCorrections:
    """Return the corrections entered, at most `BOARD_SECONDS` old, by the names that may be shown now."""
    entered = kept().get("corrections", BOARD_SECONDS, _read_corrections)
    by_id = {case.id: case for case in cases.cases.values() if case.status != CaseStatus.WITHDRAWN}
    hidden = [correction for correction in entered if correction.case_id not in by_id]
    return PublicCorrections(
        named=[(correction, by_id[correction.case_id]) for correction in entered if correction.case_id in by_id],
        unnamed_entries=len(hidden),
        unnamed=sum(correction.number for correction in hidden),
    )


def _read_corrections() -> Sequence[Correction]:
    with db.session.session_factory() as session:
        entered = session.scalars(
            select(Correction)
            .where(Correction.state == CorrectionState.ENTERED)
            .order_by(Correction.decided_at.desc(), Correction.id.desc())
        ).all()
        session.expunge_all()
    return entered


@dataclass(frozen=True, slots=True)
class CorrectionEntry:
    """A correction as the desk lists it: with its case's name and who proposed and decided it."""

    correction: Correction
    case_name: str
    proposed_by: str
    decided_by: str | None


def corrections_for_desk() -> list[CorrectionEntry]:
    """Return every correction: those that wait first, then the rest, newest first."""
    rows = db.session.execute(
        select(Correction, Case.name)
        .join(Case, Case.id == Correction.case_id)
        .order_by(Correction.decided_at.is_not(None), Correction.proposed_at.desc(), Correction.id.desc())
    ).all()
    names: dict[int | None, str] = {account.id: account.name for account in db.session.scalars(select(Account))}
    return [
        CorrectionEntry(correction, case_name, names[correction.proposed_by], names.get(correction.decided_by))
        for correction, case_name in rows
    ]


def corrections_waiting_for(account_id: int) -> int:
    """Return how many corrections this account could decide: they wait, and somebody else proposed them."""
    waiting = (Correction.state == CorrectionState.PROPOSED, Correction.proposed_by != account_id)
    return int(db.session.scalar(select(func.count()).select_from(Correction).where(*waiting)) or 0)


def standings(cases: Shelf, day: date) -> str:
    """Return the id and standing of every case that is not open, such as ``7:withdrawn 9:paused``, and no name.

    Open pages compare it with what they were made from.
    """
    found = ((case.id, case.standing(day)) for case in cases.cases.values())
    return " ".join(f"{case_id}:{standing}" for case_id, standing in sorted(found) if standing is not Standing.OPEN)


def as_json(tally: Board, cases: Shelf) -> dict[str, object]:
    """Return the tally as `/tally.json` gives it. A case that visitors may not see is in the total and not by name.

    `corrections` is the part of the total, pledged and taken, that corrections brought; it may be negative. `parcels`
    is the part that was counted in parcels of schools.
    """
    return {
        "as_of": tally.as_of.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "total": _kinds(tally.world),
        "cases": {case.slug: _kinds(tally.of(case)) for case in cases.featured()},
        "simulated": tally.world.simulated,
        "corrections": tally.corrections,
        "parcels": tally.parcels,
    }


def _kinds(figures: Figures) -> dict[str, dict[str, int]]:
    return {kind.value: {"pledged": figures.kinds[kind].pledged, "taken": figures.kinds[kind].taken} for kind in Kind}
