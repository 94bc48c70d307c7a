"""`wfr staff` and `wfr demo staff`: what the server's shell does about accounts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyotp
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from tests.staff.conftest import Browser, Person
from tests.staff.test_accounts import account_named, set_up
from tests.staffing import colleague
from wfr.extensions import db, transaction
from wfr.staff.models import AccountState, AuditEntry, Role

Browsers = Callable[[], Browser]


def wfr(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def link_in(said: Result) -> str:
    found = re.search(r"/desk/invitation/\S+", said.output)
    assert found, said.output
    return found[0]


def test_the_first_coordinator_is_made_here(app: Flask, browser: Browsers) -> None:
    said = wfr(app, "staff", "add", "Cora", "--email", "cora@example.org", "--role", "coordinator")
    assert said.exit_code == 0, said.output
    assert "It was not mailed" in said.output
    status, _, secret = set_up(browser(), link_in(said))
    assert status == 200
    cora = Person(0, "cora", secret, "brass lanterns over water")
    assert browser().sign_in(cora, code=cora.code(+1)).location == "/desk/"
    listed = wfr(app, "staff", "list").output
    assert re.match(r"cora +coordinator +active +cora@example\.org\n", listed)


def test_a_mistake_is_said_in_a_line(app: Flask) -> None:
    wfr(app, "staff", "add", "cora", "--email", "cora@example.org", "--role", "coordinator")
    for words, answer in (
        (("add", "CORA", "--email", "c@example.org", "--role", "writer"), "There is an account of this name already"),
        (("add", "c", "--email", "c@example.org", "--role", "writer"), "2 to 40 letters"),
        (("add", "carl", "--email", "nowhere", "--role", "writer"), "--email"),
        (("role", "nobody", "writer"), "There is no account nobody."),
        (("agree", "cora"), "Nothing is waiting"),
        (("code", "cora"), "no second factor yet"),
        (("reset", "cora"), "not in a state for that"),
    ):
        said = wfr(app, "staff", *words)
        assert said.exit_code != 0
        assert answer in said.output


def test_the_shell_needs_nobody(app: Flask) -> None:
    cora, wanda = colleague(app, "cora", Role.COORDINATOR), colleague(app, "wanda")
    cora.send(f"/desk/accounts/{wanda.account_id}/role", role="reviewer")
    assert "waits: role reviewer" in wfr(app, "staff", "list").output
    assert wfr(app, "staff", "agree", "wanda").output == "wanda is reviewer now.\n"
    assert wfr(app, "staff", "role", "wanda", "coordinator").output == "wanda is coordinator now.\n"
    assert "is disabled" in wfr(app, "staff", "disable", "wanda").output
    first = link_in(wfr(app, "staff", "enable", "wanda"))
    assert account_named(app, "wanda").state == AccountState.INVITED
    assert cora.get(first).status_code == 200
    assert "/desk/invitation/" in wfr(app, "staff", "reset", "cora").output
    with app.app_context():
        vias = set(db.session.scalars(select(AuditEntry.via).where(AuditEntry.what == "account.request_agreed")))
    assert vias == {"shell"}


def test_the_present_code_is_shown_and_recorded(app: Flask, person: Callable[..., Person], browser: Browsers) -> None:
    rhea = person()
    said = wfr(app, "staff", "code", "rhea").output
    found = re.fullmatch(r"(\d{6})   good for \d+ s\n", said)
    assert found
    assert browser().sign_in(rhea, code=found[1]).location == "/desk/"
    assert "was used already" in wfr(app, "staff", "code", "rhea").output
    with app.app_context():
        assert list(db.session.scalars(select(AuditEntry.what))).count("code.shown") == 2


def test_people_of_a_demonstration_can_sign_in_and_get_new_passwords(app: Flask, browser: Browsers) -> None:
    assert "no demonstration" in wfr(app, "demo", "staff").output
    from wfr.cases.models import Installation  # noqa: PLC0415

    with app.app_context(), transaction() as session:
        session.add(Installation(id=1, demonstration=True))
    seen = []
    for _ in range(2):
        said = wfr(app, "demo", "staff").output
        made = re.findall(r"^(\S+) \((\w+)\)\n  password  (\S+)\n  (otpauth://\S+)$", said, re.MULTILINE)
        assert [role for _, role, _, _ in made] == ["writer", "reviewer", "coordinator", "coordinator"]
        for name, _, password, line in made:
            secret = pyotp.parse_uri(line).secret
            assert browser().sign_in(Person(0, name, secret, password)).location == "/desk/"
        seen += [password for _, _, password, _ in made]
    assert len(set(seen)) == 8
