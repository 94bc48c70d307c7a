"""School letter drives: what a teacher told of one, the codes that lead to it, and the numbers that came of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wfr.cases.models import Kind
from wfr.extensions import Base, utc_now
from wfr.share.codes import new_sharer

SPARE = 20
"""Letters that a class may always pledge beyond what its teacher hoped for."""
MOST_HOPED = 2_000
"""Letters one drive may hope for; more is another conversation with the office."""
KINDS = (Kind.LETTER, Kind.SOLIDARITY)
"""What pupils may do: paper only, never e-mail or posts."""


class NameState(StrEnum):
    """Whether a drive's name may be shown in public."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


class DriveState(StrEnum):
    """Where a drive stands on a given day; derived, never stored."""

    UNCONFIRMED = "unconfirmed"
    OPEN = "open"
    PAUSED = "paused"
    OVER = "over"
    CLOSED = "closed"


class ReportState(StrEnum):
    """How far a report has come: told by the teacher, asked back about, or counted by the office."""

    REPORTED = "reported"
    QUERIED = "queried"
    COUNTED = "counted"


class Sort(StrEnum):
    """What a class counts: letters, cards, and signatures on petition sheets.

    Signatures are told and counted like the others, and are no actions: they never enter the tally.
    """

    LETTER = Kind.LETTER.value
    SOLIDARITY = Kind.SOLIDARITY.value
    PETITION = "petition"

    @property
    def kind(self) -> Kind | None:
        """The kind of action that it counts as, or None for signatures."""
        return None if self is Sort.PETITION else Kind(self.value)


class Drive(Base):
    """One school's or group's letter drive in one season. Nothing here or below it is about a pupil.

    `slug` names the drive in public addresses and says nothing about the school. `joined` is how many pledges came by
    its join codes; it never falls. `links` grows when the private link is replaced: older links stop working.
    `limit_met_at` is when `joined` met `limit`. `sharer` is the number of its own share links (`wfr.share.codes`). Of a
    contact erased (`erased_at`) only the numbers remain.
    """

    __tablename__ = "drives"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(12), unique=True)
    season_id: Mapped[int] = mapped_column(ForeignKey("seasons.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    name_state: Mapped[str] = mapped_column(String(10), default=NameState.WAITING)
    country: Mapped[str] = mapped_column(String(2))
    language: Mapped[str] = mapped_column(String(12))
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    starts: Mapped[date]
    ends: Mapped[date]
    hoped: Mapped[int]
    joined: Mapped[int] = mapped_column(default=0)
    tell_outcomes: Mapped[bool] = mapped_column(default=False)
    invite_again: Mapped[bool] = mapped_column(default=False)
    links: Mapped[int] = mapped_column(default=1)
    sharer: Mapped[int] = mapped_column(BigInteger, default=new_sharer)
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    confirmed_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    limit_met_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("drives.id"))
    last_time: Mapped[int | None] = mapped_column(ForeignKey("drives.id"))
    """The same school's drive of an earlier season, as far as the teacher says so."""

    @property
    def limit(self) -> int:
        """How many pledges its join codes can bring, so that a leaked code cannot inflate the count."""
        return self.hoped + max(SPARE, self.hoped // 2)

    @property
    def public_name(self) -> str | None:
        """The name, once somebody at the desk has approved it; else None."""
        return self.name if self.name_state == NameState.APPROVED else None

    def state(self, today: date) -> DriveState:
        """Say where the drive stands on `today`. Its code, wall and pack work as soon as it is confirmed."""
        if self.confirmed_at is None:
            return DriveState.UNCONFIRMED
        if self.closed_at is not None or self.merged_into is not None:
            return DriveState.CLOSED
        if today > self.ends:
            return DriveState.OVER
        return DriveState.PAUSED if self.paused_at else DriveState.OPEN


class DriveCode(Base):
    """A join code. A replaced one is never given to another drive: it may still hang on a wall somewhere."""

    __tablename__ = "drive_codes"

    code: Mapped[str] = mapped_column(String(6), primary_key=True)
    drive_id: Mapped[int] = mapped_column(ForeignKey("drives.id"), index=True)
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    retired_at: Mapped[datetime | None]


class DriveCase(Base):
    """A case that a drive has chosen."""

    __tablename__ = "drive_cases"

    drive_id: Mapped[int] = mapped_column(ForeignKey("drives.id"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)


class DrivePledge(Base):
    """A pledge that came by a drive's join code: that it came, and nothing of whose it was."""

    __tablename__ = "drive_pledges"

    pledge_id: Mapped[UUID] = mapped_column(ForeignKey("pledges.id"), primary_key=True)
    drive_id: Mapped[int] = mapped_column(ForeignKey("drives.id"), index=True)


class DriveReport(Base):
    """How many letters, cards or signatures (`sort`) a case got, as the teacher told it and as the office counted it.

    The two numbers are never mixed. `question` is what the desk asked back last.
    """

    __tablename__ = "drive_reports"
    __table_args__ = (UniqueConstraint("drive_id", "case_id", "sort"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    drive_id: Mapped[int] = mapped_column(ForeignKey("drives.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    sort: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default=ReportState.REPORTED)
    reported: Mapped[int | None]
    reported_at: Mapped[datetime | None]
    counted: Mapped[int | None]
    counted_at: Mapped[datetime | None]
    counted_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    question: Mapped[str | None] = mapped_column(Text)


class DriveParcel(Base):
    """Which entries of the ledger came of a report: the first count, and each count after it."""

    __tablename__ = "drive_parcels"

    parcel_id: Mapped[int] = mapped_column(ForeignKey("counted_parcels.id"), primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("drive_reports.id"), index=True)


class DriveNotice(Base):
    """A mail that a drive's teacher is to get once: `about` says which, such as ``withdrawn:12``.

    The row is the work to do; it is sent by whoever finds it, and tried again where the mail could not leave.
    `words` are the desk's own, in a message to the teacher.
    """

    __tablename__ = "drive_notices"
    __table_args__ = (UniqueConstraint("drive_id", "about"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    drive_id: Mapped[int] = mapped_column(ForeignKey("drives.id"))
    about: Mapped[str] = mapped_column(String(60))
    words: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    tried_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
