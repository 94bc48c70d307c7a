"""The reads of the tally that pages need; every process reads the counters at most once a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from wfr.cases.models import Case, Kind
from wfr.cases.queries import Shelf
from wfr.extensions import db, kept
from wfr.pledges.tallying import Figures, read_figures

BOARD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Board:
    """The tally at one moment: the world's figures and each case's."""

    as_of: datetime
    world: Figures
    by_case: dict[int, Figures]

    def of(self, case: Case | None = None) -> Figures:
        """Return the figures of one case, or the world's."""
        return self.world if case is None else self.by_case.get(case.id, Figures())


def board() -> Board:
    """Return the tally, at most `BOARD_SECONDS` old (or twice that, while another request is reading it)."""
    return kept().get("board", BOARD_SECONDS, _read_board)


def _read_board() -> Board:
    with db.session.session_factory() as session:
        by_case = read_figures(session)
    world = Figures()
    for figures in by_case.values():
        for kind, count in figures.kinds.items():
            world.add_kind(kind, count.pledged, count.taken, count.simulated)
    return Board(datetime.now(UTC), world, by_case)


def as_json(tally: Board, cases: Shelf) -> dict[str, object]:
    """Return the tally as `/tally.json` gives it. A case that visitors may not see is in the total and not by name."""
    return {
        "as_of": tally.as_of.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "total": _kinds(tally.world),
        "cases": {case.slug: _kinds(tally.of(case)) for case in cases.featured()},
        "simulated": tally.world.simulated,
    }


def _kinds(figures: Figures) -> dict[str, dict[str, int]]:
    return {kind.value: {"pledged": figures.kinds[kind].pledged, "taken": figures.kinds[kind].taken} for kind in Kind}
