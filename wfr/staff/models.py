"""Accounts, their sessions and budgets of attempts, and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wfr.extensions import Base, utc_now

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
FRESH_CODE = timedelta(minutes=5)


class Role(StrEnum):
    """What somebody may do at the desk. Each role may also do what those before it may."""

    WRITER = "writer"
    REVIEWER = "reviewer"
    COORDINATOR = "coordinator"

    def may(self, needed: Role) -> bool:
        """Say whether this role is enough where `needed` is asked for."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class AccountState(StrEnum):
    """How far an account has come: proposed by one, invited once a second agreed, active once set up; or disabled."""

    PROPOSED = "proposed"
    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


class Request(StrEnum):
    """What one coordinator asks for an account and a second one, or the server's shell, must agree to."""

    JOIN = "join"
    ROLE = "role"
    RESET = "reset"
    ENABLE = "enable"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: an account at the desk, the server's shell (no account), or a background job."""

    account_id: int | None
    via: str = "desk"


SHELL = Actor(None, "shell")
JOB = Actor(None, "job")


class Account(Base):
    """Somebody on the desk.

    `totp_secret` is encrypted at rest; `totp_counter` is the last time step a code was taken for, so that each works
    once. `epoch` grows when password, role or second factor change, which ends every session of an earlier one.
    `request` and the columns after it are what waits for a second person.
    """

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(10), default=AccountState.PROPOSED)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_counter: Mapped[int | None]
    epoch: Mapped[int] = mapped_column(default=0)
    invitation: Mapped[str | None] = mapped_column(String(64), index=True)
    invitation_ends: Mapped[datetime | None]
    request: Mapped[str | None] = mapped_column(String(10))
    requested_role: Mapped[str | None] = mapped_column(String(12))
    requested_by: Mapped[int | None] = mapped_column(
        # Deferred, so that a backup may put the rows back in the order of their numbers.
        ForeignKey("accounts.id", deferrable=True, initially="DEFERRED")
    )
    requested_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    def may(self, needed: Role) -> bool:
        """Say whether this account is active and its role is enough where `needed` is asked for."""
        return self.state == AccountState.ACTIVE and Role(self.role).may(needed)

    @property
    def request_mark(self) -> str:
        """What tells one request from another, so that nobody agrees to something else than what was shown."""
        moment = self.requested_at.isoformat() if self.requested_at else ""
        return f"{self.request} {self.requested_role or self.role} {self.requested_by} {moment}" if self.request else ""


class RecoveryCode(Base):
    """One of ten codes that stand in for the second factor, each once. Only a keyed digest is kept."""

    __tablename__ = "recovery_codes"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[datetime | None]


class DeskSession(Base):
    """One browser that is signed in. `id` is the digest of the token in its cookie; `code_at` is its last code."""

    __tablename__ = "desk_sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    epoch: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    code_at: Mapped[datetime] = mapped_column(default=utc_now)
    browser: Mapped[str] = mapped_column(String(120), default="")

    def is_over(self, account: Account, now: datetime) -> bool:
        """Say whether this session has ended: idle, too long, signed out elsewhere, or of an earlier epoch."""
        return (
            account.state != AccountState.ACTIVE
            or self.epoch != account.epoch
            or now - self.seen_at > IDLE
            or now - self.started_at > LONGEST
        )

    def has_fresh_code(self, now: datetime) -> bool:
        """Say whether a code was given in the last five minutes."""
        return now - self.code_at <= FRESH_CODE


class KnownDevice(Base):
    """A browser that has signed in before: it has a budget of attempts of its own. `id` is the digest of its token."""

    __tablename__ = "known_devices"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    epoch: Mapped[int]
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class AttemptBudget(Base):
    """The recent attempts counted under one key: an account's name, an address or a known device, each as a digest.

    `spent` are the moments (seconds since 1970) of the attempts that were let through and may still count.
    """

    __tablename__ = "attempt_budgets"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    spent: Mapped[list[float]] = mapped_column(JSON, default=list)
    ends_at: Mapped[datetime]


class AuditEntry(Base):
    """Who did what to which thing. Rows are only ever added; `seal` chains each to the one before.

    `before` and `after` hold ids, states, numbers and keyed digests of personal values, never those values.
    """

    __tablename__ = "audit_entries"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    via: Mapped[str] = mapped_column(String(10))
    what: Mapped[str] = mapped_column(String(60))
    thing: Mapped[str] = mapped_column(String(80), index=True)
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    seal: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The one row that knows the last audit entry, so that cutting off the end of the trail shows."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    number: Mapped[int] = mapped_column(default=0)
    seal: Mapped[str] = mapped_column(String(64), default="")
    head_seal: Mapped[str] = mapped_column(String(64), default="")
