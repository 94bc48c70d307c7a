"""The ledger of pledges and the counters that are kept exact beside it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wfr.extensions import Base, utc_now

TALLY_SHARDS = 8


class PledgeState(StrEnum):
    """How far an action has come. A class's pledge is superseded once its parcel is counted, which takes its place."""

    PLEDGED = "pledged"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


STANDING = (PledgeState.PLEDGED, PledgeState.TAKEN)
"""The states in which a pledge is in the count."""


class Pledge(Base):
    """One promised action. The key is the ticket's, so one ticket can be one pledge only. Nothing here says who."""

    __tablename__ = "pledges"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(String(10))
    country: Mapped[str] = mapped_column(String(2))
    language: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(10), default=PledgeState.PLEDGED)
    pledged_at: Mapped[datetime] = mapped_column(default=utc_now)
    taken_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    simulated: Mapped[bool] = mapped_column(default=False)


class CorrectionState(StrEnum):
    """How far a correction has come: proposed by one person, entered in the ledger or refused by another."""

    PROPOSED = "proposed"
    ENTERED = "entered"
    REFUSED = "refused"


class Correction(Base):
    """A number of actions that are added to the ledger, or taken from it, as one entry: 400 letters sent by a group.

    `number` is negative where too many were counted. It counts once it is entered, as pledged and as taken;
    `reason` is shown in public.
    """

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    country: Mapped[str] = mapped_column(String(2))
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default=CorrectionState.PROPOSED)
    proposed_by: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    proposed_at: Mapped[datetime] = mapped_column(default=utc_now)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]


class CountedParcel(Base):
    """Letters or cards that somebody counted, as one entry of the ledger; it counts as pledged and as taken.

    `number` is what the count adds, negative where a second count found less than the first. `superseded` is how many
    pledges the entry took the place of; they stay in the ledger and count no more.
    """

    __tablename__ = "counted_parcels"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    country: Mapped[str] = mapped_column(String(2))
    number: Mapped[int]
    superseded: Mapped[int]
    entered_at: Mapped[datetime] = mapped_column(default=utc_now)


class TallyCount(Base):
    """A counter of the tally, split into `TALLY_SHARDS` rows so that one popular case is not one contested row.

    `pledged` counts everything that stands, `taken` the part of it said to be done, `simulated` the part of
    `pledged` that a demonstration made up. The sum over the shards equals the ledger at every commit.
    """

    __tablename__ = "tally_counts"

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pledged: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    simulated: Mapped[int] = mapped_column(default=0)
