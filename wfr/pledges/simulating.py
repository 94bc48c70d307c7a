"""Simulated pledges for a demonstration: plausible, and marked as simulated for ever."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from wfr.cases.loading import load_folder, stamp_as_demonstration
from wfr.cases.models import Case, CaseStatus, Kind
from wfr.cases.queries import is_demonstration, today
from wfr.cases.season_files import CannotLoad
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.pledges.models import Pledge, PledgeState
from wfr.pledges.pledging import Promise, mark_taken, pledge
from wfr.pledges.tallying import Change, CountKey, change_count

PAST_PLEDGES = 4_200
PAST_DAYS = 21
SEED = 2020
BATCH = 500
TAKEN_SHARE = 0.62

# Invented weights: where a campaign like this has many members, and how people there like to act.
COUNTRIES = {
    "DE": 14, "US": 12, "GB": 10, "FR": 9, "NL": 8, "CA": 7, "IT": 6, "ES": 5, "PL": 5, "AU": 4, "CH": 4, "BE": 4,
    "SE": 3, "NO": 3, "IE": 2, "AT": 2, "PT": 2, "NZ": 1, "JP": 1, "BR": 1, "AR": 1, "MX": 1, "KE": 1, "TG": 1, "TN": 1,
}  # fmt: skip
KINDS = {Kind.LETTER: 5, Kind.EMAIL: 4, Kind.POST: 2, Kind.SOLIDARITY: 1}


def load_demonstration(folder: Path, *, simulated: bool = True) -> int:
    """Load the demonstration, stamp the database as one, and return how many simulated pledges were added.

    Pledges are simulated into an empty ledger only. Raises `CannotLoad`, `DatabaseAway`.
    """
    with transaction() as session:
        stamp_as_demonstration(session)
        load_folder(session, folder, today())
        if not simulated or session.scalar(select(func.count()).select_from(Pledge)):
            return 0
        return _simulate_past(session, today())


def replay(per_minute: float) -> Iterator[Promise]:
    """Make simulated pledges for ever, through the same verbs as a visitor, and yield each; some are then done.

    Raises `CannotLoad` where the database is no demonstration.
    """
    if not is_demonstration(db.session):
        raise CannotLoad("This database is not a demonstration; nothing is simulated here.")
    chance = random.Random()  # noqa: S311 -- a demonstration has no secrets
    while True:
        cases = _open_cases(db.session)
        case_id, kinds = chance.choice(list(cases.items()))
        promise = Promise(uuid4(), case_id, _pick_kind(chance, kinds), _pick_country(chance), "en", simulated=True)
        pledge([promise])
        if chance.random() < TAKEN_SHARE:
            mark_taken(promise.id)
        yield promise
        time.sleep(chance.expovariate(per_minute / 60))


def _simulate_past(session: AnySession, day: date) -> int:
    chance = random.Random(SEED)  # noqa: S311 -- a demonstration has no secrets
    cases = _open_cases(session)
    rows = [_past_row(chance, cases, day) for _ in range(PAST_PLEDGES)]
    for start in range(0, len(rows), BATCH):
        session.execute(insert(Pledge), rows[start : start + BATCH])
    pledged: Counter[CountKey] = Counter()
    taken: Counter[CountKey] = Counter()
    for row in rows:
        key = (row["case_id"], row["kind"], row["country"])
        pledged[key] += 1
        taken[key] += row["state"] == PledgeState.TAKEN
    for key, count in pledged.items():
        change_count(session, key, Change(count, taken[key], count))
    return len(rows)


def _past_row(chance: random.Random, cases: dict[int, list[Kind]], day: date) -> dict[str, Any]:
    case_id = chance.choice(list(cases))
    # More people act as Human Rights Day comes near: the days are drawn from a triangle that leans to the present.
    days_ago = PAST_DAYS - chance.triangular(0, PAST_DAYS, PAST_DAYS)
    moment = datetime.combine(day, utc_now().time()) - timedelta(days=days_ago)
    done = chance.random() < TAKEN_SHARE
    return {
        "id": UUID(int=chance.getrandbits(128), version=4),
        "case_id": case_id,
        "kind": _pick_kind(chance, cases[case_id]).value,
        "country": _pick_country(chance),
        "language": "en",
        "state": PledgeState.TAKEN if done else PledgeState.PLEDGED,
        "pledged_at": moment,
        "taken_at": moment if done else None,
        "simulated": True,
    }


def _open_cases(session: AnySession) -> dict[int, list[Kind]]:
    """Return the season's cases and how one acts for each; an Urgent Action's count is nobody's play."""
    rows = session.execute(
        select(Case.id, Case.kinds)
        .where(Case.status == CaseStatus.PUBLISHED, Case.season_id.is_not(None))
        .order_by(Case.position)
    )
    return {case_id: [Kind(kind) for kind in kinds] for case_id, kinds in rows}


def _pick_kind(chance: random.Random, kinds: list[Kind]) -> Kind:
    return chance.choices(kinds, [KINDS[kind] for kind in kinds])[0]


def _pick_country(chance: random.Random) -> str:
    return chance.choices(list(COUNTRIES), list(COUNTRIES.values()))[0]
