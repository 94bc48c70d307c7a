"""A promise, a done action, a promise taken back. Each verb is one transaction, and repeating it changes nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, bindparam, literal, select, update
from sqlalchemy import case as sql_case
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from wfr.cases.models import Kind
from wfr.extensions import AnySession, db, one_statement, transaction, utc_now
from wfr.pledges.models import TALLY_SHARDS, Pledge, PledgeState, TallyCount
from wfr.pledges.tallying import Change, add_to_counts, change_count


@dataclass(frozen=True, slots=True)
class Promise:
    """What is about to be pledged. Nothing of it says who."""

    id: UUID
    case_id: int
    kind: Kind
    country: str
    language: str
    taken: bool = False
    simulated: bool = False


def pledge(promises: Sequence[Promise], record: Callable[[AnySession, Promise], None] | None = None) -> None:
    """Record these promises and count them, all or none; one that is known already is left as it is.

    `record` is called for each that is new, inside the same transaction (`wfr.pledges.origins`). Raises `DatabaseAway`.
    """
    if len(promises) == 1 and record is None and db.engine.dialect.name == "postgresql":
        with one_statement() as connection:
            connection.execute(ADD_AND_COUNT, _values(promises[0]) | {"shard": secrets.randbelow(TALLY_SHARDS)})
        return
    with transaction() as session:
        for promise in promises:
            if record_pledge(session, promise) and record:
                record(session, promise)


def find_pledge(key: UUID) -> Pledge | None:
    """Return the pledge with this key, or None."""
    return db.session.get(Pledge, key)


def known(ids: Sequence[UUID]) -> bool:
    """Say whether every one of these pledges stands in the ledger already."""
    return all(db.session.get(Pledge, key) is not None for key in ids)


def mark_taken(key: UUID) -> Pledge | None:
    """Note that the person says it is done; returns the pledge as it then stands, or None when there is none.

    Raises `DatabaseAway`.
    """
    with transaction() as session:
        _move(session, key, PledgeState.PLEDGED, PledgeState.TAKEN, Change(taken=1))
    return db.session.get(Pledge, key)


def withdraw(key: UUID) -> Pledge | None:
    """Take a promise back, for good; returns the pledge as it then stands, or None when there is none.

    Raises `DatabaseAway`.
    """
    with transaction() as session:
        for state, change in (
            (PledgeState.TAKEN, Change(pledged=-1, taken=-1)),
            (PledgeState.PLEDGED, Change(pledged=-1)),
        ):
            _move(session, key, state, PledgeState.WITHDRAWN, change)
    return db.session.get(Pledge, key)


def _adding(insert: Callable[..., Any]) -> Any:
    table: Any = Pledge.__table__
    columns = [column.name for column in table.columns if column.name != "withdrawn_at"]
    row = insert(table).values({name: bindparam(name) for name in columns})
    return row.on_conflict_do_nothing(index_elements=["id"]).returning(table.c.id)


# Built once: putting a statement together costs more than sending it.
ADD_PLEDGE = {"postgresql": _adding(postgresql_insert), "sqlite": _adding(sqlite_insert)}


COUNTED = ("case_id", "kind", "country", "state", "simulated")


def _adding_and_counting() -> Any:
    """Return both steps of `record_pledge` as one statement, which PostgreSQL can and SQLite cannot."""
    added = ADD_PLEDGE["postgresql"].returning(*(Pledge.__table__.c[name] for name in COUNTED)).cte("added")
    counted = select(
        *(added.c[name] for name in ("case_id", "kind", "country")),
        bindparam("shard", type_=Integer),
        literal(1),
        sql_case((added.c.state == PledgeState.TAKEN.value, 1), else_=0),
        sql_case((added.c.simulated, 1), else_=0),
    )
    counters: Any = TallyCount.__table__
    names = [column.name for column in counters.columns]
    return add_to_counts(postgresql_insert(counters).from_select(names, counted))


ADD_AND_COUNT = _adding_and_counting()


def _values(promise: Promise) -> dict[str, Any]:
    now = utc_now()
    return {
        "id": promise.id,
        "case_id": promise.case_id,
        "kind": promise.kind.value,
        "country": promise.country,
        "language": promise.language,
        "state": (PledgeState.TAKEN if promise.taken else PledgeState.PLEDGED).value,
        "pledged_at": now,
        "taken_at": now if promise.taken else None,
        "simulated": promise.simulated,
    }


def record_pledge(session: AnySession, promise: Promise) -> bool:
    """Add a promise to ledger and tally inside the caller's transaction; False when its ticket was used already."""
    connection = session.connection()
    # What came back says whether there is a new row; a row count is not reliable for this on every driver.
    if connection.execute(ADD_PLEDGE[connection.dialect.name], _values(promise)).scalar() is None:
        return False
    key = (promise.case_id, promise.kind.value, promise.country)
    change_count(session, key, Change(1, int(promise.taken), int(promise.simulated)))
    return True


def _move(session: AnySession, key: UUID, before: PledgeState, after: PledgeState, change: Change) -> None:
    moment = {PledgeState.TAKEN: "taken_at", PledgeState.WITHDRAWN: "withdrawn_at"}[after]
    moved = session.execute(
        update(Pledge)
        .where(Pledge.id == key, Pledge.state == before)
        .values({"state": after, moment: utc_now()})
        .returning(Pledge.case_id, Pledge.kind, Pledge.country, Pledge.simulated)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if moved is None:
        return
    case_id, kind, country, simulated = moved
    if simulated and change.pledged < 0:
        change = Change(change.pledged, change.taken, change.pledged)
    change_count(session, (case_id, kind, country), change)
