"""People on the desk, for tests: an account of any role, and a browser that is signed in with it."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pyotp
from flask import Flask
from werkzeug.test import TestResponse

from tests.linting import LintingClient
from wfr.extensions import transaction, utc_now
from wfr.staff.models import Account, AccountState, DeskSession, Role
from wfr.staff.second_factor import seal_secret
from wfr.staff.sessions import add_session

CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
TAB_SECONDS = 600


def make_account(name: str, role: Role = Role.WRITER, **changes: Any) -> Account:
    """Store an active account with a second factor and without a password; needs an app context."""
    values = {"email": f"{name}@desk.example.org", "state": AccountState.ACTIVE, **changes}
    with transaction() as session:
        account = Account(name=name, role=role, totp_secret=seal_secret(pyotp.random_base32()), **values)
        session.add(account)
    return account


class Colleague(LintingClient):
    """Somebody's browser at the desk. `post` sends the CSRF token by itself, as the page's form would."""

    account_id: int
    _token: tuple[float, str] | None = None

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Post a form at the desk with a good CSRF token."""
        return self.post(path, data={"csrf_token": self.csrf_token(), **fields})

    def csrf_token(self) -> str:
        """Return a CSRF token of this browser's session, as it stands in a tab that was opened some minutes ago."""
        now = time.time()
        if self._token is None or not 0 <= now - self._token[0] < TAB_SECONDS:
            found = CSRF.search(self.get("/desk/me").get_data(as_text=True))
            assert found, "the desk's own page carries no CSRF token"
            self._token = now, found[1]
        return self._token[1]


def colleague(app: Flask, name: str, role: Role = Role.WRITER, *, fresh: bool = True) -> Colleague:
    """Return a browser in which a new account of this role is signed in; `fresh` says whether its code is."""
    client = Colleague(app, app.response_class)
    with app.app_context():
        account = make_account(name, role)
        with transaction() as session:
            signed_in = add_session(session, account, "a test")
            if not fresh:
                row = session.get(DeskSession, signed_in.session.id)
                assert row is not None
                row.code_at = utc_now() - timedelta(hours=1)
        client.account_id = account.id
    with client.session_transaction("/desk/") as cookie:
        cookie["_user_id"] = signed_in.token
        cookie["_fresh"] = True
    return client
