"""Time what the desk reads of the ledger: ``python -m benchmarks.desk_numbers``. A million pledges, both databases."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from benchmarks import machine, stage
from benchmarks.filling import fill
from wfr.cases.models import Case, Season
from wfr.extensions import db, utc_now
from wfr.pledges.exporting import as_csv, export_actions
from wfr.pledges.season_figures import LEDGER_SECONDS, ledger_of, season_figures
from wfr.staff.models import SHELL

DATABASES = ("sqlite", "postgresql")
ROWS = 1_000_000
ROUNDS = 5


def main() -> None:
    """Print a line for each reading."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    print(machine.description())
    for sort in DATABASES:
        with stage.open_stage(sort) as scene:
            fill(scene.app, chosen.rows)
            for name, read in readings(scene.app).items():
                times = [_timed(scene.app, read) for _ in range(chosen.rounds)]
                span = f"{min(times):,.0f} to {max(times):,.0f}"
                print(
                    f"{scene.database_version()}, {chosen.rows:,} rows, {name}: "
                    f"{statistics.median(times):,.0f} ms ({span})"
                )


def readings(app: Flask) -> dict[str, Callable[[], object]]:
    """Return what is measured, by its name."""
    with app.app_context():
        season = db.session.scalars(select(Season)).first()
        ids = list(db.session.scalars(select(Case.id)))
        db.session.remove()
    if season is None:
        raise RuntimeError("the demonstration has no season")
    return {
        f"the ledger's days, hours and rises, read once in {LEDGER_SECONDS:.0f} s": lambda: ledger_of(
            db.session, season, ids, utc_now()
        ),
        "the page's figures while those are kept": season_figures,
        "the whole export": lambda: sum(map(len, as_csv(export_actions(by=SHELL)))),
    }


def _timed(app: Flask, read: Callable[[], object]) -> float:
    with app.app_context():
        began = time.perf_counter()
        read()
        took = (time.perf_counter() - began) * 1000
        db.session.remove()
    return took


if __name__ == "__main__":
    main()
