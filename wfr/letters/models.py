"""Packs on their way: class letters that the queue prints, and the files until they are fetched. No name is in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from wfr.extensions import Base


class PackState(StrEnum):
    """How far a pack has come."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class Pack(Base):
    """Blank letters for a class, being printed or ready to be fetched. Its id is the only key to it.

    `asked` is a `wfr.letters.packing.PackOrder` without names. A worker holds it until `leased_until` and renews that
    with each part; whoever finds the lease past takes over, `tries` times at most. All moments are UTC.
    """

    __tablename__ = "packs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10), default=PackState.WAITING)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int]
    tries: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PackPart(Base):
    """One finished file of a pack. `position` counts from 0, in the order of `PackOrder.parts`."""

    __tablename__ = "pack_parts"

    pack_id: Mapped[str] = mapped_column(ForeignKey("packs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
