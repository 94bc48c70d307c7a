"""Counted parcels: one entry of the ledger takes the place of a school's pledges for a case and kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from wfr.cases.models import Kind
from wfr.extensions import AnySession
from wfr.pledges.models import STANDING, CountedParcel, Pledge, PledgeState
from wfr.pledges.tallying import Change, change_count


@dataclass(frozen=True, slots=True)
class ParcelCount:
    """What somebody counted: `number` letters or cards, written in `country` for a case. Negative takes away again."""

    case_id: int
    kind: Kind
    country: str
    number: int


def record_parcel(session: AnySession, count: ParcelCount, superseding: Any) -> CountedParcel:
    """Enter a count and move the counters with it, inside the caller's transaction.

    `superseding` selects the ids of the pledges whose place the count takes: those of its case and kind that stand are
    superseded, and never counted beside it.
    """
    gone = session.execute(
        update(Pledge)
        .where(
            Pledge.id.in_(superseding),
            Pledge.case_id == count.case_id,
            Pledge.kind == count.kind.value,
            Pledge.state.in_(STANDING),
        )
        .values(state=PledgeState.SUPERSEDED)
        .returning(Pledge.country, Pledge.taken_at, Pledge.simulated)
        .execution_options(synchronize_session=False)
    ).all()
    pledged, taken, simulated = Counter[str](), Counter[str](), Counter[str]()
    for country, taken_at, is_simulated in gone:
        pledged[country] += 1
        taken[country] += taken_at is not None
        simulated[country] += is_simulated
    for country in sorted(pledged):
        change = Change(-pledged[country], -taken[country], -simulated[country])
        change_count(session, (count.case_id, count.kind.value, country), change)
    key = (count.case_id, count.kind.value, count.country)
    change_count(session, key, Change(pledged=count.number, taken=count.number))
    parcel = CountedParcel(
        case_id=count.case_id,
        kind=count.kind.value,
        country=count.country,
        number=count.number,
        superseded=len(gone),
    )
    session.add(parcel)
    session.flush()
    return parcel
