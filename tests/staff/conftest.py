"""Somebody with a password and an app, and a browser in front of the desk's door."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from flask import Flask
from werkzeug.test import TestResponse

from tests.linting import LintingClient
from tests.staffing import CSRF, make_account
from wfr.extensions import db
from wfr.staff import passwords
from wfr.staff.models import Account, Role
from wfr.staff.second_factor import STEP_SECONDS, open_secret

PASSWORD = "violet otters quietly map"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real argon2id with parameters that cost little."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@dataclass
class Person:
    """Somebody with an account, and the secret in their app."""

    id: int
    name: str
    secret: str
    password: str = PASSWORD

    def code(self, steps: int = 0) -> str:
        """The code their app shows, or showed or will show some `steps` away."""
        return pyotp.TOTP(self.secret).generate_otp(int(time.time() // STEP_SECONDS) + steps)


class Browser(LintingClient):
    """A browser that nobody has signed in with yet."""

    def token(self, path: str = "/desk/sign-in", **more: Any) -> str:
        found = CSRF.search(self.get(path, **more).get_data(as_text=True))
        assert found
        return found[1]

    def sign_in(self, person: Person, **changes: Any) -> TestResponse:
        fields = {"name": person.name, "password": person.password, "code": person.code(), **changes}
        return self.post("/desk/sign-in", data={"csrf_token": self.token(), **fields})

    def send(self, path: str, page: str = "/desk/me", **fields: Any) -> TestResponse:
        return self.post(path, data={"csrf_token": self.token(page), **fields})

    def is_in(self) -> bool:
        return self.get("/desk/me").status_code == 200


@pytest.fixture
def person(app: Flask) -> Callable[..., Person]:
    """Return a function that makes somebody who can sign in."""

    def make(name: str = "rhea", role: Role = Role.WRITER, **changes: Any) -> Person:
        with app.app_context():
            account = make_account(name, role, password_hash=passwords.hashed(PASSWORD), **changes)
            return Person(account.id, name, open_secret(account.totp_secret or ""))

    return make


@pytest.fixture
def browser(app: Flask) -> Callable[[], Browser]:
    """Return a function that opens another browser."""
    return lambda: Browser(app, app.response_class)


def read(app: Flask, account_id: int) -> Account:
    """Return an account as the database has it now."""
    with app.app_context():
        found = db.session.get(Account, account_id, populate_existing=True)
        assert found
        return found
