"""The reads that the desk's pages about people need."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, db, utc_now
from wfr.staff.models import IDLE, LONGEST, Account, AccountState, AuditEntry, DeskSession
from wfr.staff.naming import tidy_name
from wfr.staff.second_factor import recovery_codes_left

ENTRIES_A_PAGE = 50
DIGEST = re.compile(r"[0-9a-f]{32,64}")


def people_on_desk(session: AnySession) -> int:
    """Return how many accounts are active."""
    return session.scalar(select(func.count(Account.id)).where(Account.state == AccountState.ACTIVE)) or 0


def account_names(session: AnySession) -> dict[int, str]:
    """Return the name of every account there ever was, by its id."""
    return {account.id: account.name for account in session.scalars(select(Account))}


@dataclass(frozen=True, slots=True)
class People:
    """Everybody's accounts as one page shows them, and the names of all."""

    accounts: Sequence[Account]
    names: dict[int, str]
    active: int

    @property
    def waiting(self) -> list[Account]:
        """The accounts for which something waits for a second person."""
        return [account for account in self.accounts if account.request]


def everybody() -> People:
    """Return all accounts, active ones first."""
    accounts = db.session.scalars(select(Account).order_by(Account.name)).all()
    order = [AccountState.ACTIVE, AccountState.INVITED, AccountState.PROPOSED, AccountState.DISABLED]
    accounts = sorted(accounts, key=lambda account: order.index(AccountState(account.state)))
    return People(accounts, {account.id: account.name for account in accounts}, people_on_desk(db.session))


def find_account(account_id: int) -> Account:
    """Return an account; raises `NoSuchThing`."""
    account = db.session.get(Account, account_id, populate_existing=True)
    if account is None:
        raise NoSuchThing(f"account {account_id}")
    return account


def account_named(name: str) -> Account:
    """Return the account of this name; raises `NoSuchThing`."""
    account = db.session.scalar(select(Account).where(Account.name == tidy_name(name)))
    if account is None:
        raise NoSuchThing(f"account {name}")
    return account


@dataclass(frozen=True, slots=True)
class Mine:
    """What somebody sees of their own account: its open sessions, newest first, and its unused recovery codes."""

    sessions: Sequence[DeskSession]
    codes_left: int


def my_account(account: Account) -> Mine:
    """Return what `account` sees of itself."""
    now = utc_now()
    sessions = db.session.scalars(
        select(DeskSession)
        .where(
            DeskSession.account_id == account.id,
            DeskSession.epoch == account.epoch,
            DeskSession.seen_at > now - IDLE,
            DeskSession.started_at > now - LONGEST,
        )
        .order_by(DeskSession.started_at.desc())
    ).all()
    return Mine(sessions, recovery_codes_left(db.session, account.id))


def count_entries() -> int:
    """Return how many entries the audit trail has."""
    return db.session.scalar(select(func.count(AuditEntry.number))) or 0


@dataclass(frozen=True, slots=True)
class Change:
    """One value that an entry of the trail tells of; either side may be empty."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the trail as a person reads it. `who` is empty where nobody was signed in."""

    number: int
    at: datetime
    who: str
    via: str
    what: str
    thing: str
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of the trail to show: of an account (by name), about a thing, of a kind; `before` a number."""

    who: str = ""
    thing: str = ""
    what: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Trail:
    """A page of the trail, newest first; `older` is what to ask for the next page with, if there is one."""

    lines: list[Line]
    older: int | None


def read_trail(wanted: Wanted) -> Trail:
    """Return a page of the trail."""
    names = account_names(db.session)
    rows = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(ENTRIES_A_PAGE + 1)
    for condition in _conditions(wanted, {name: number for number, name in names.items()}):
        rows = rows.where(condition)
    entries = db.session.scalars(rows).all()
    shown = entries[:ENTRIES_A_PAGE]
    return Trail([_line(entry, names) for entry in shown], shown[-1].number if len(entries) > ENTRIES_A_PAGE else None)


def _conditions(wanted: Wanted, numbers: dict[str, int]) -> list[Any]:
    conditions: list[Any] = []
    if wanted.who:
        conditions.append(AuditEntry.account_id == numbers.get(tidy_name(wanted.who), -1))
    if wanted.thing:
        kind, _, name = wanted.thing.partition(":")
        # An account is looked for by its name, as a person knows it.
        number = numbers.get(tidy_name(name)) if kind == "account" else None
        thing = f"account:{number}" if number else wanted.thing
        conditions.append(
            AuditEntry.thing == thing if ":" in thing else AuditEntry.thing.startswith(f"{thing}:", autoescape=True)
        )
    if wanted.what:
        conditions.append(AuditEntry.what.startswith(wanted.what, autoescape=True))
    if wanted.before is not None:
        conditions.append(AuditEntry.number < wanted.before)
    return conditions


def _line(entry: AuditEntry, names: dict[int, str]) -> Line:
    kind, _, number = entry.thing.partition(":")
    named = names.get(int(number)) if kind == "account" and number.isdecimal() else None
    return Line(
        number=entry.number,
        at=entry.at,
        who=names.get(entry.account_id or 0, ""),
        via=entry.via,
        what=entry.what.replace(".", " ").replace("_", " "),
        thing=f"{kind} {named or number}",
        changes=[
            Change(name.replace("_", " "), _shown(entry.before.get(name)), _shown(entry.after.get(name)))
            for name in dict.fromkeys((*entry.before, *entry.after))
            if entry.before.get(name) != entry.after.get(name)
        ],
    )


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    words = str(value)
    return f"{words[:8]}…" if DIGEST.fullmatch(words) else words
