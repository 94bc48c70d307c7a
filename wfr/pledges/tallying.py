"""The tally: counters changed in the ledger row's own transaction, and the proof that they agree with the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy import case as sql_case
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from wfr.cases.models import Kind
from wfr.extensions import AnySession
from wfr.pledges.models import (
    STANDING,
    TALLY_SHARDS,
    Correction,
    CorrectionState,
    CountedParcel,
    Pledge,
    PledgeState,
    TallyCount,
)

CountKey = tuple[int, str, str]
"""(case id, kind, country)"""


@dataclass(frozen=True, slots=True)
class Change:
    """By how much a counter moves."""

    pledged: int = 0
    taken: int = 0
    simulated: int = 0


@dataclass(slots=True)
class Count:
    """How many actions: pledged (what stands), the part of them said to be done, and the part that is simulated."""

    pledged: int = 0
    taken: int = 0
    simulated: int = 0

    def add(self, pledged: int, taken: int, simulated: int) -> None:
        """Add another count to this one."""
        self.pledged += pledged
        self.taken += taken
        self.simulated += simulated


@dataclass(slots=True)
class Figures(Count):
    """A count, and the same by kind of action; the kinds add up to the whole."""

    kinds: dict[str, Count] = field(default_factory=lambda: {kind.value: Count() for kind in Kind})

    def add_kind(self, kind: str, pledged: int, taken: int, simulated: int) -> None:
        """Add a count of one kind, to the kind and to the whole."""
        self.add(pledged, taken, simulated)
        self.kinds[kind].add(pledged, taken, simulated)


@dataclass(frozen=True, slots=True)
class Drift:
    """A counter that does not agree with the ledger."""

    key: CountKey
    ledger: Count
    tally: Count

    def __str__(self) -> str:
        case_id, kind, country = self.key
        return f"case {case_id} {kind} {country}: ledger {self.ledger}, tally {self.tally}"


def _moving(insert: Callable[..., Any]) -> Any:
    table = TallyCount.__table__
    return add_to_counts(insert(table).values({column.name: bindparam(column.name) for column in table.columns}))


def add_to_counts(row: Any) -> Any:
    """Return the statement that adds `row`, an insert into the counters, to the counter that stands there already."""
    table = TallyCount.__table__
    return row.on_conflict_do_update(
        index_elements=["case_id", "kind", "country", "shard"],
        set_={name: table.c[name] + row.excluded[name] for name in ("pledged", "taken", "simulated")},
    )


# Built once: putting a statement together costs more than sending it.
MOVE_COUNT = {"postgresql": _moving(postgresql_insert), "sqlite": _moving(sqlite_insert)}


def change_count(session: AnySession, key: CountKey, change: Change) -> None:
    """Move one counter, inside the caller's transaction."""
    case_id, kind, country = key
    values = {
        "case_id": case_id,
        "kind": kind,
        "country": country,
        "shard": secrets.randbelow(TALLY_SHARDS),
        "pledged": change.pledged,
        "taken": change.taken,
        "simulated": change.simulated,
    }
    connection = session.connection()
    connection.execute(MOVE_COUNT[connection.dialect.name], values)


def read_figures(session: AnySession) -> dict[int, Figures]:
    """Return the figures of every case that has any, by case id. It reads counters, never the ledger."""
    figures: dict[int, Figures] = {}
    totals = (func.sum(TallyCount.pledged), func.sum(TallyCount.taken), func.sum(TallyCount.simulated))
    for case_id, kind, pledged, taken, simulated in session.execute(
        select(TallyCount.case_id, TallyCount.kind, *totals).group_by(TallyCount.case_id, TallyCount.kind)
    ):
        figures.setdefault(case_id, Figures()).add_kind(kind, int(pledged), int(taken), int(simulated))
    return figures


def find_drift(session: AnySession) -> list[Drift]:
    """Recompute every counter from the ledger and return those that differ; an empty list is what must come.

    Ledger and counters are read in one transaction of its own, so that pledges arriving meanwhile do not look like a
    difference; what the session had not committed is rolled back.
    """
    session.rollback()
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    ledger = dict(_ledger_counts(session))
    for key, number in (*_entered_corrections(session), *_counted_parcels(session)):
        ledger.setdefault(key, Count()).add(number, number, 0)
    tally = dict(_tally_counts(session))
    return [
        Drift(key, ledger.get(key, Count()), tally.get(key, Count()))
        for key in sorted(ledger.keys() | tally.keys())
        if ledger.get(key, Count()) != tally.get(key, Count())
    ]


def _ledger_counts(session: AnySession) -> Iterator[tuple[CountKey, Count]]:
    rows = session.execute(
        select(
            Pledge.case_id,
            Pledge.kind,
            Pledge.country,
            func.count(),
            func.sum(sql_case((Pledge.state == PledgeState.TAKEN, 1), else_=0)),
            func.sum(sql_case((Pledge.simulated, 1), else_=0)),
        )
        .where(Pledge.state.in_(STANDING))
        .group_by(Pledge.case_id, Pledge.kind, Pledge.country)
    )
    for case_id, kind, country, *figures in rows:
        yield (case_id, kind, country), Count(*map(int, figures))


def _entered_corrections(session: AnySession) -> Iterator[tuple[CountKey, int]]:
    rows = session.execute(
        select(Correction.case_id, Correction.kind, Correction.country, Correction.number).where(
            Correction.state == CorrectionState.ENTERED
        )
    )
    for case_id, kind, country, number in rows:
        yield (case_id, kind, country), number


def _counted_parcels(session: AnySession) -> Iterator[tuple[CountKey, int]]:
    for parcel in session.scalars(select(CountedParcel)):
        yield (parcel.case_id, parcel.kind, parcel.country), parcel.number


def _tally_counts(session: AnySession) -> Iterator[tuple[CountKey, Count]]:
    rows = session.execute(
        select(
            TallyCount.case_id,
            TallyCount.kind,
            TallyCount.country,
            func.sum(TallyCount.pledged),
            func.sum(TallyCount.taken),
            func.sum(TallyCount.simulated),
        ).group_by(TallyCount.case_id, TallyCount.kind, TallyCount.country)
    )
    for case_id, kind, country, *figures in rows:
        yield (case_id, kind, country), Count(*map(int, figures))
