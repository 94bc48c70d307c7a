"""People for a demonstration: one account of each role and a second coordinator, with passwords made just now."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pyotp
from sqlalchemy import select

from wfr.extensions import AnySession, transaction
from wfr.staff.auditing import record
from wfr.staff.models import SHELL, Account, AccountState, Role
from wfr.staff.passwords import hashed
from wfr.staff.second_factor import otpauth_line, seal_secret
from wfr.staff.sessions import end_other_sessions

CAST = {
    "writer": Role.WRITER,
    "reviewer": Role.REVIEWER,
    "coordinator": Role.COORDINATOR,
    "coordinator-two": Role.COORDINATOR,
}


@dataclass(frozen=True, slots=True)
class Person:
    """One account of the demonstration and how to sign in with it, shown once."""

    name: str
    role: Role
    password: str
    line: str


def make_people() -> list[Person]:
    """Make the accounts, or give them new passwords and second factors. Only for a database of a demonstration."""
    made = []
    for name, role in CAST.items():
        password, secret = secrets.token_urlsafe(15), pyotp.random_base32()
        kept = hashed(password)
        with transaction() as session:
            account = _account(session, name, role)
            account.password_hash, account.totp_secret, account.totp_counter = kept, seal_secret(secret), None
            account.role, account.state = role, AccountState.ACTIVE
            account.invitation = account.request = account.requested_role = account.requested_by = None
            end_other_sessions(session, account)
            record(session, SHELL, "account.demonstrated", f"account:{account.id}", after={"role": role.value})
        made.append(Person(name, role, password, otpauth_line(name, secret)))
    return made


def _account(session: AnySession, name: str, role: Role) -> Account:
    account = session.scalar(select(Account).where(Account.name == name).with_for_update())
    if account is None:
        account = Account(name=name, email=f"{name}@example.org", role=role, epoch=0)
        session.add(account)
        session.flush()
    return account
