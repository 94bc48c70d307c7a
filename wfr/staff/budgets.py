"""Budgets of attempts: so many in five minutes, counted in the database, so that all processes count together.

Where the database does not answer nothing is let through: `transaction` raises, and the answer is 503.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from wfr.extensions import AnySession, db, settings, transaction, utc_now
from wfr.staff.auditing import record
from wfr.staff.models import Actor, AttemptBudget, AuditEntry

WINDOW_SECONDS = 300.0
PER_NAME = 10
PER_ADDRESS = 20
PER_DEVICE = 10
PER_SESSION = 10
BLOCKED = "sign_in.blocked"

OPEN = {
    "postgresql": postgresql_insert(AttemptBudget).on_conflict_do_nothing(),
    "sqlite": sqlite_insert(AttemptBudget).on_conflict_do_nothing(),
}


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be attempted under one key in five minutes; `thing` is what the audit trail calls it."""

    kind: str
    value: str
    limit: int
    thing: str

    @property
    def key(self) -> str:
        """The key in the database: it says nothing of a name that somebody typed."""
        secret = settings().key("budgets")
        return f"{self.kind}:{hmac.new(secret, self.value.encode(), hashlib.sha256).hexdigest()[:40]}"


class _UsedUp(Exception):
    pass


def spend(budgets: Sequence[Budget]) -> bool:
    """Take one attempt from every budget and say True; or say False, with nothing written, if one is used up."""
    limits = {budget.key: budget for budget in sorted(budgets, key=lambda budget: budget.key)}
    wanted = select(AttemptBudget).where(AttemptBudget.key.in_(limits)).order_by(AttemptBudget.key)
    # A look without a lock first: a flood must not make those wait who write.
    if any(_is_used_up(row, limits, time.time()) for row in db.session.scalars(wanted)):
        return False
    try:
        with transaction() as session:
            _open(session, list(limits))
            locked = wanted.with_for_update().execution_options(populate_existing=True)
            for row in session.scalars(locked).all():
                _take(session, row, limits)
    except _UsedUp:
        return False
    return True


def _open(session: AnySession, keys: list[str]) -> None:
    connection = session.connection()
    statement = OPEN[connection.dialect.name]
    for key in keys:
        connection.execute(statement, {"key": key, "spent": [], "ends_at": _end(time.time())})


def _take(session: AnySession, row: AttemptBudget, limits: dict[str, Budget]) -> None:
    # Only now that the row is ours: whoever waited for it must count those who came before.
    now = time.time()
    if _is_used_up(row, limits, now):
        # The whole transaction is undone, so that a refused attempt leaves no row behind.
        raise _UsedUp
    row.spent, row.ends_at = [*_recent(row, now), now], _end(now)
    if _is_used_up(row, limits, now):
        _tell(session, limits[row.key])


def _recent(row: AttemptBudget, now: float) -> list[float]:
    # Those a little ahead count too: other machines' clocks. A clock that was years ahead once must not lock the door.
    return [moment for moment in row.spent if abs(now - moment) < WINDOW_SECONDS]


def _is_used_up(row: AttemptBudget, limits: dict[str, Budget], now: float) -> bool:
    return len(_recent(row, now)) >= limits[row.key].limit


def _end(now: float) -> datetime:
    return datetime.fromtimestamp(now + WINDOW_SECONDS, UTC).replace(tzinfo=None)


def _tell(session: AnySession, budget: Budget) -> None:
    """Say once a window in the audit trail that a budget is used up and strangers are turned away."""
    since = utc_now() - timedelta(seconds=WINDOW_SECONDS)
    told = select(AuditEntry.number).where(
        AuditEntry.thing == budget.thing, AuditEntry.what == BLOCKED, AuditEntry.at > since
    )
    if session.scalar(told.limit(1)) is None:
        record(session, Actor(None), BLOCKED, budget.thing, after={"counted_by": budget.kind, "attempts": budget.limit})


def forget_old_budgets() -> int:
    """Delete the budgets in which nothing counts any more, and return how many there were."""
    with transaction() as session:
        over = session.execute(
            delete(AttemptBudget).where(AttemptBudget.ends_at < utc_now()).returning(AttemptBudget.key)
        )
        return len(over.all())
