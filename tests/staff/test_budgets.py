"""Guessing: however many and from wherever, ten password checks in five minutes, and the owner still gets in.

`benchmarks/guesses.py` sends ten thousand to the real program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.conftest import close_database, make_settings
from tests.staff.conftest import Browser, Person
from wfr import create_app
from wfr.extensions import db
from wfr.staff import budgets, passwords
from wfr.staff.budgets import Budget
from wfr.staff.jobs import tidy_up
from wfr.staff.models import AttemptBudget, AuditEntry, KnownDevice

People = Callable[..., Person]
Browsers = Callable[[], Browser]
GUESSES = 2_000
ADDRESSES = 100
THREADS = 4


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The app behind one proxy, which says where each request comes from."""
    app = create_app(make_settings(tmp_path, database_url, TRUSTED_PROXIES=1))
    yield app
    close_database(app)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What each password check was made against; the check itself is the real one."""
    made: list[str | None] = []
    real = passwords.matches

    def matches(password: str, kept: str | None) -> bool:
        made.append(kept)
        return real(password, kept)

    monkeypatch.setattr(passwords, "matches", matches)
    return made


def guess(app: Flask, names: list[str], guesses: range) -> None:
    """Send guesses, each from one of a hundred addresses."""
    client = FlaskClient(app, app.response_class)
    token = Browser.token(client)  # type: ignore[arg-type]
    for number in guesses:
        answer = client.post(
            "/desk/sign-in",
            data={
                "csrf_token": token,
                "name": names[number % len(names)],
                "password": f"guess number {number}",
                "code": "123456",
            },
            headers={"X-Forwarded-For": f"203.0.113.{number % ADDRESSES}"},
        )
        assert answer.status_code == 303


def rows(app: Flask, table: type) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_thousands_of_guesses_from_a_hundred_addresses_cause_ten_checks(
    app: Flask, person: People, browser: Browsers, checks: list[str | None]
) -> None:
    rhea, hers = person(), browser()
    assert hers.sign_in(rhea).location == "/desk/"
    checks.clear()
    with time_machine.travel(1_800_000_000, tick=True):
        threads = [
            threading.Thread(target=guess, args=(app, ["rhea"], range(first, GUESSES, THREADS)))
            for first in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(checks) == 10
        # Nothing grows with the guesses: a budget of the name, one an address at most; an entry a check, one for all.
        assert rows(app, AttemptBudget) <= 2 + ADDRESSES
        assert rows(app, AuditEntry) == 1 + 10 + 1
        # She gets in from the browser that has signed in before; a browser of hers that has not does not.
        hers.delete_cookie("desk")
        assert hers.sign_in(rhea, code=rhea.code()).location == "/desk/"
        assert browser().sign_in(rhea, code=rhea.code(+1)).location == "/desk/sign-in?again=later"


def test_names_that_do_not_exist_are_limited_the_same(app: Flask, person: People, checks: list[str | None]) -> None:
    person()
    guess(app, ["rhea", "nobody"], range(60))
    assert len(checks) == 20
    assert checks.count(None) == 10


def test_one_address_may_try_twenty_times_whatever_the_names(app: Flask, checks: list[str | None]) -> None:
    client = FlaskClient(app, app.response_class)
    token = Browser.token(client)  # type: ignore[arg-type]
    for number in range(40):
        client.post("/desk/sign-in", data={"csrf_token": token, "name": f"name{number}", "password": "p", "code": "1"})
    assert len(checks) == 20


def test_the_window_slides(app: Flask) -> None:
    with app.app_context():
        budget = [Budget("name", "rhea", 2, "name:x")]
        with time_machine.travel(1_800_000_000, tick=False) as clock:
            assert [budgets.spend(budget) for _ in range(3)] == [True, True, False]
            clock.shift(200)
            assert not budgets.spend(budget)
            clock.shift(101)
            assert [budgets.spend(budget) for _ in range(3)] == [True, True, False]


def test_a_budget_that_is_full_spends_nothing_of_another(app: Flask) -> None:
    with app.app_context():
        name, address = Budget("name", "rhea", 1, "name:x"), Budget("address", "a", 5, "address:a")
        assert budgets.spend([name, address])
        assert not budgets.spend([name, address])
        other = Budget("address", "b", 5, "address:b")
        assert not budgets.spend([name, other])
        assert db.session.get(AttemptBudget, other.key) is None
        row = db.session.get(AttemptBudget, address.key)
        assert row
        assert len(row.spent) == 1


def test_many_at_once_never_spend_more_than_there_is(app: Flask) -> None:
    gate, spent = threading.Barrier(8), []

    def try_often() -> None:
        with app.app_context():
            gate.wait()
            both = [Budget("name", "rhea", 10, "name:x"), Budget("address", "a", 20, "address:a")]
            spent.extend([budgets.spend(both) for _ in range(5)])

    threads = [threading.Thread(target=try_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (spent.count(True), spent.count(False)) == (10, 30)


def test_a_known_device_is_known_for_its_owner_alone(
    app: Flask, person: People, browser: Browsers, checks: list[str | None]
) -> None:
    rhea, omar, hers = person(), person("omar"), browser()
    hers.sign_in(rhea)
    guess(app, ["omar"], range(12))
    hers.delete_cookie("desk")
    assert hers.sign_in(omar).location == "/desk/sign-in?again=later"


def test_a_device_has_a_budget_too(app: Flask, person: People, browser: Browsers, checks: list[str | None]) -> None:
    rhea, hers = person(), browser()
    hers.sign_in(rhea)
    hers.delete_cookie("desk")
    checks.clear()
    answers = [hers.sign_in(rhea, password="wrong wrong wrong").location for _ in range(11)]
    assert answers == ["/desk/sign-in?again=1"] * 10 + ["/desk/sign-in?again=later"]
    assert len(checks) == 10


def test_a_device_stays_the_same_row(app: Flask, person: People, browser: Browsers) -> None:
    rhea, hers = person(), browser()
    for steps in (-1, 0, 1):
        hers.sign_in(rhea, code=rhea.code(steps))
        hers.send("/desk/sign-out")
    assert rows(app, KnownDevice) == 1


def test_codes_inside_a_session_are_limited(app: Flask, person: People, browser: Browsers) -> None:
    rhea, hers = person(), browser()
    hers.sign_in(rhea, code=rhea.code(-1))
    with time_machine.travel(1_900_000_000, tick=False):
        hers.sign_in(rhea)
    from wfr.errors import Refused  # noqa: PLC0415
    from wfr.staff.models import DeskSession  # noqa: PLC0415
    from wfr.staff.signing_in import confirm_code  # noqa: PLC0415

    with app.app_context():
        session_id = db.session.scalars(select(DeskSession.id)).first() or ""
        assert [confirm_code(session_id=session_id, code="000000") for _ in range(10)] == [False] * 10
        with pytest.raises(Refused, match="Wait five minutes"):
            confirm_code(session_id=session_id, code=rhea.code())


def test_what_no_longer_counts_is_tidied_up(app: Flask, person: People, browser: Browsers) -> None:
    with time_machine.travel(1_800_000_000, tick=False):
        browser().sign_in(person())
    with app.app_context():
        tidy_up()
    assert rows(app, AttemptBudget) == 2
    with time_machine.travel(1_800_000_000 + 301, tick=False), app.app_context():
        tidy_up()
    assert (rows(app, AttemptBudget), rows(app, KnownDevice)) == (0, 1)
    with time_machine.travel(1_800_000_000 + 181 * 24 * 3600, tick=False), app.app_context():
        tidy_up()
    assert rows(app, KnownDevice) == 0
