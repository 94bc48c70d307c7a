"""Fills the ledger to a size, with the tally kept exact, as fast as the database takes rows."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import insert, select

from wfr.cases.models import Case, Kind
from wfr.extensions import db, transaction, utc_now
from wfr.pledges.models import Pledge, PledgeState
from wfr.pledges.simulating import COUNTRIES
from wfr.pledges.tallying import Change, CountKey, change_count

BATCH = 20_000
PAST = timedelta(days=21)
TAKEN_SHARE = 0.6


def fill(app: Flask, rows: int) -> None:
    """Add `rows` pledges of the past three weeks to ledger and tally, in one transaction."""
    if not rows:
        return
    pledged: Counter[CountKey] = Counter()
    taken: Counter[CountKey] = Counter()
    with app.app_context():
        cases = {case.id: [Kind(kind) for kind in case.kinds] for case in db.session.scalars(select(Case))}
        with transaction() as session:
            for batch in _batches(rows, cases):
                session.execute(insert(Pledge.__table__), batch)  # type: ignore[arg-type]  # a declarative table is one
                for row in batch:
                    key = (row["case_id"], row["kind"], row["country"])
                    pledged[key] += 1
                    taken[key] += row["state"] == PledgeState.TAKEN
            for key, count in pledged.items():
                change_count(session, key, Change(count, taken[key]))
        db.session.remove()
        _settle()


def _batches(rows: int, cases: dict[int, list[Kind]]) -> Iterator[list[dict[str, Any]]]:
    chance = random.Random(2020)
    ids, countries = list(cases), chance.choices(list(COUNTRIES), list(COUNTRIES.values()), k=10_007)
    begins = utc_now() - PAST
    made = 0
    while made < rows:
        batch = []
        for number in range(made, min(made + BATCH, rows)):
            moment = begins + PAST * (number / rows)
            case_id = chance.choice(ids)
            done = chance.random() < TAKEN_SHARE
            batch.append(
                {
                    "id": _key(moment.timestamp()),
                    "case_id": case_id,
                    "kind": chance.choice(cases[case_id]).value,
                    "country": countries[number % len(countries)],
                    "language": "en",
                    "state": (PledgeState.TAKEN if done else PledgeState.PLEDGED).value,
                    "pledged_at": moment,
                    "taken_at": moment if done else None,
                    "simulated": False,
                }
            )
        made += len(batch)
        yield batch


def _key(moment: float) -> UUID:
    """Return a key as a ticket of that time has (UUID version 7), so that the index grows as it does in life."""
    bits = (int(moment * 1000) << 80) | secrets.randbits(80)
    return UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | (0x7 << 76) | (0x2 << 62))


def _settle() -> None:
    """Let the database finish what a bulk load leaves behind, so that it is not measured."""
    postgresql = db.engine.dialect.name == "postgresql"
    link = db.engine.raw_connection()
    try:
        # Neither statement may stand in a transaction; SQLite's driver begins none by itself here.
        if postgresql:
            link.driver_connection.autocommit = True  # type: ignore[union-attr]  # it is connected
        for statement in (
            ("VACUUM ANALYZE", "CHECKPOINT") if postgresql else ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")
        ):
            link.cursor().execute(statement)
    finally:
        link.invalidate()
