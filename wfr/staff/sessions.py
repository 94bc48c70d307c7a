"""Sessions of the desk: rows in the database, so that each can be ended; a browser holds a token and nothing else."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.staff.models import IDLE, LONGEST, Account, DeskSession

SEEN_EVERY = timedelta(minutes=1)
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, and by which session: what flask-login calls the user."""

    account: Account
    session: DeskSession
    token: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """Return what the browser's cookie holds."""
        return self.token


def token_digest(token: str) -> str:
    """Return what the database keeps of a token that is long and random."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_session(session: AnySession, account: Account, browser: str = "") -> SignedIn:
    """Start a session for `account`, inside the caller's transaction."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = DeskSession(id=token_digest(token), account_id=account.id, epoch=account.epoch, browser=browser[:120])
    session.add(row)
    session.flush()
    return SignedIn(account, row, token)


def find_session(token: str) -> SignedIn | None:
    """Return who holds this token, or None when the session is over or never was."""
    row = db.session.get(DeskSession, token_digest(token))
    account = db.session.get(Account, row.account_id) if row else None
    now = utc_now()
    if row is None or account is None or row.is_over(account, now):
        return None
    if now - row.seen_at > SEEN_EVERY:
        with transaction() as session:
            session.execute(update(DeskSession).where(DeskSession.id == row.id).values(seen_at=now))
            row.seen_at = now
    return SignedIn(account, row, token)


def end_session(session: AnySession, session_id: str) -> None:
    """End one session, inside the caller's transaction."""
    session.execute(delete(DeskSession).where(DeskSession.id == session_id))


def end_other_sessions(session: AnySession, account: Account, keep: DeskSession | None = None) -> None:
    """Begin a new epoch of `account`: every session of an earlier one is over, but for the one that is kept."""
    account.epoch += 1
    if keep is not None:
        session.execute(update(DeskSession).where(DeskSession.id == keep.id).values(epoch=account.epoch))


def end_rows_of_others(session: AnySession, account: Account, keep: DeskSession) -> int:
    """End every session of `account` but one, inside the caller's transaction, and return how many there were."""
    others = session.scalars(
        select(DeskSession.id).where(DeskSession.account_id == account.id, DeskSession.id != keep.id)
    ).all()
    session.execute(delete(DeskSession).where(DeskSession.id.in_(others)))
    return len(others)


def forget_old_sessions() -> int:
    """Delete the rows of sessions that are over by time, and return how many there were."""
    now = utc_now()
    with transaction() as session:
        over = session.scalars(
            select(DeskSession.id).where((DeskSession.seen_at < now - IDLE) | (DeskSession.started_at < now - LONGEST))
        ).all()
        session.execute(delete(DeskSession).where(DeskSession.id.in_(over)))
    return len(over)
