"""Signing in and out, and giving a fresh code. Known and unknown accounts get the same answer for the same work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from wfr.errors import Refused
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.staff import budgets, passwords
from wfr.staff.auditing import digest, record
from wfr.staff.budgets import Budget
from wfr.staff.devices import belongs, find_device, remember_device
from wfr.staff.models import Account, AccountState, Actor, DeskSession
from wfr.staff.naming import tidy_name
from wfr.staff.second_factor import take_code
from wfr.staff.sessions import SignedIn, add_session, end_session


class Outcome(StrEnum):
    """Why nobody was signed in: what was given does not match, or too much was tried lately."""

    WRONG = "1"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody gave to sign in, and from where.

    `address` is the keyed digest that limits count by, `device` the token of a browser that has signed in before,
    `former` the session that this browser still has.
    """

    name: str
    password: str
    code: str
    address: str
    device: str | None = None
    browser: str = ""
    former: str | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """Who is signed in now, and the token by which the browser is known from now on."""

    who: SignedIn
    device: str


@dataclass(frozen=True, slots=True)
class _Claim:
    """Whom an attempt is about, as far as the database knows; `kept` is None unless they may sign in."""

    thing: str
    account_id: int | None = None
    kept: str | None = None
    device: str | None = None


def sign_in(attempt: Attempt) -> Entered | Outcome:
    """Check name, password and code, and start a session if all are right.

    Raises `wfr.errors.DatabaseAway` and checks nothing when attempts cannot be counted.
    """
    claim = _claim(attempt)
    if not budgets.spend(_budgets(attempt, claim)):
        return Outcome.LATER
    try:
        right = passwords.matches(attempt.password, claim.kept)
        better = passwords.hashed(attempt.password) if right and passwords.is_outdated(claim.kept or "") else None
    except passwords.TooBusy:
        return Outcome.LATER
    with transaction() as session:
        account = _entering(session, claim, attempt.code) if right else None
        if account is None:
            after = {"address": attempt.address, "known_device": claim.device is not None}
            record(session, Actor(None), "sign_in.refused", claim.thing, after=after)
            return Outcome.WRONG
        if better:
            account.password_hash = better
        return _enter(session, account, attempt)


def _claim(attempt: Attempt) -> _Claim:
    name = tidy_name(attempt.name)
    device = find_device(db.session, attempt.device)
    account = db.session.scalar(select(Account).where(Account.name == name))
    if account is None:
        return _Claim(f"name:{digest(name)}")
    return _Claim(
        thing=f"account:{account.id}",
        account_id=account.id,
        kept=account.password_hash if account.state == AccountState.ACTIVE else None,
        device=device.id if device and belongs(device, account) else None,
    )


def _budgets(attempt: Attempt, claim: _Claim) -> list[Budget]:
    if claim.device:
        return [Budget("device", claim.device, budgets.PER_DEVICE, claim.thing)]
    return [
        Budget("name", tidy_name(attempt.name), budgets.PER_NAME, claim.thing),
        Budget("address", attempt.address, budgets.PER_ADDRESS, f"address:{attempt.address}"),
    ]


def _entering(session: AnySession, claim: _Claim, code: str) -> Account | None:
    account = session.get(Account, claim.account_id, with_for_update=True, populate_existing=True)
    # What was checked without a lock may have changed since.
    unchanged = account and account.state == AccountState.ACTIVE and account.password_hash == claim.kept
    return account if account and unchanged and take_code(session, account, code) else None


def _enter(session: AnySession, account: Account, attempt: Attempt) -> Entered:
    if attempt.former:
        end_session(session, attempt.former)
    entered = Entered(add_session(session, account, attempt.browser), remember_device(session, account, attempt.device))
    record(session, Actor(account.id), "session.started", f"account:{account.id}", after={"browser": attempt.browser})
    return entered


def sign_out(*, session_id: str, by: Actor) -> None:
    """End the present session."""
    with transaction() as session:
        end_session(session, session_id)
        record(session, by, "session.ended", f"account:{by.account_id}")


def confirm_code(*, session_id: str, code: str) -> bool:
    """Take a code of the second factor for a session that is signed in, and say whether it was right.

    Raises `Refused` when too many were tried in it lately.
    """
    row = db.session.get(DeskSession, session_id)
    spend_inside(session_id, f"account:{row.account_id}" if row else "session:none")
    with transaction() as session:
        row = session.get(DeskSession, session_id, populate_existing=True)
        account = session.get(Account, row.account_id, with_for_update=True, populate_existing=True) if row else None
        if account is None:
            return False
        if not take_code(session, account, code):
            record(session, Actor(account.id), "code.refused", f"account:{account.id}")
            return False
        session.execute(update(DeskSession).where(DeskSession.id == session_id).values(code_at=utc_now()))
    return True


def spend_inside(session_id: str, thing: str) -> None:
    """Count an attempt with a code or password inside a session; raises `Refused` when there were too many."""
    if not budgets.spend([Budget("session", session_id, budgets.PER_SESSION, thing)]):
        raise Refused(_l("Too many codes or passwords were tried. Wait five minutes, then try again."))
