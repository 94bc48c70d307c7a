"""The audit trail: nothing in it can be changed, taken away or added without showing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.acting import text_of
from tests.staffing import colleague
from wfr.extensions import db, transaction
from wfr.staff.auditing import find_breaks, record
from wfr.staff.models import SHELL, Actor, AuditEntry, Role

Tamper = Callable[[str], None]


@pytest.fixture
def trail(app: Flask) -> Flask:
    """Five entries."""
    with app.app_context():
        for number in range(1, 6):
            with transaction() as session:
                record(session, SHELL, "case.tested", f"case:{number}", after={"number": number})
    return app


@pytest.fixture
def tamper(trail: Flask) -> Tamper:
    """Return a function that does what only the owner of the database can do."""

    def run(statement: str) -> None:
        with trail.app_context(), transaction() as session:
            on = " ON audit_entries" if session.get_bind().dialect.name == "postgresql" else ""
            for trigger in ("audit_entries_keep", "audit_entries_stay"):
                session.execute(text(f"DROP TRIGGER IF EXISTS {trigger}{on}"))
            session.execute(text(statement))

    return run


def breaks(app: Flask) -> list[str]:
    with app.app_context():
        return list(find_breaks(db.session))


def test_a_whole_trail_has_no_breaks(trail: Flask) -> None:
    assert breaks(trail) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET what = 'x' WHERE number = 2",
        "DELETE FROM audit_entries WHERE number = 2",
        "DELETE FROM audit_entries",
    ],
)
def test_the_database_refuses_to_change_it(trail: Flask, statement: str) -> None:
    with trail.app_context(), pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(text(statement))
    assert breaks(trail) == []


COPY = """INSERT INTO audit_entries (number, at, account_id, via, what, thing, "before", "after", seal)
          SELECT {number}, at, account_id, via, what, thing, "before", "after", seal
          FROM audit_entries WHERE number = 5"""


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_entries SET what = 'case.praised' WHERE number = 2", "entry 2 was changed"),
        ("UPDATE audit_entries SET account_id = NULL, via = 'job' WHERE number = 5", "entry 5 was changed"),
        ("DELETE FROM audit_entries WHERE number = 1", "entry 1 is missing"),
        ("DELETE FROM audit_entries WHERE number = 3", "entry 3 is missing"),
        ("DELETE FROM audit_entries WHERE number IN (2, 3)", "entries 2 to 3 are missing"),
        ("DELETE FROM audit_entries WHERE number = 5", "entry 5 is missing"),
        ("DELETE FROM audit_entries", "entries 1 to 5 are missing"),
        (COPY.format(number=6), "entry 6 was changed"),
        ("UPDATE audit_head SET number = 4", "the trail's head was changed"),
        ("DELETE FROM audit_head", "the trail's head is missing"),
    ],
)
def test_what_got_past_the_database_is_found(trail: Flask, tamper: Tamper, statement: str, found: str) -> None:
    tamper(statement)
    assert found in breaks(trail)


def test_cutting_off_the_end_with_its_head_is_found(trail: Flask, tamper: Tamper) -> None:
    tamper("DELETE FROM audit_entries WHERE number = 5")
    tamper("UPDATE audit_head SET number = 4, seal = (SELECT seal FROM audit_entries WHERE number = 4)")
    assert breaks(trail) == ["the trail's head was changed"]


def test_verify_says_so_and_ends_with_one(trail: Flask, tamper: Tamper) -> None:
    runner = trail.test_cli_runner()
    whole = runner.invoke(args=["audit", "verify"])
    assert (whole.exit_code, whole.output) == (0, "5 entries, unbroken\n")
    tamper("UPDATE audit_entries SET what = 'case.praised' WHERE number = 2")
    broken = runner.invoke(args=["audit", "verify"])
    assert (broken.exit_code, broken.output) == (1, "entry 2 was changed\n")


def test_the_page_shows_it_newest_first_and_by_name(app: Flask) -> None:
    cora = colleague(app, "cora", Role.COORDINATOR)
    with app.app_context(), transaction() as session:
        for number in range(60):
            record(session, SHELL, "case.tested", f"case:{number}", before={"state": "draft"}, after={"state": "done"})
        record(session, Actor(cora.account_id), "account.looked_at", f"account:{cora.account_id}")
    page = cora.get("/desk/audit")
    words = text_of(page)
    assert "cora account looked at account cora" in words
    assert "the server’s shell case tested case 59 state: draft → done" in words
    assert "case 5 " not in words
    assert "Older entries" in words
    assert "case 5 " in text_of(cora.get("/desk/audit?before=12"))
    assert text_of(cora.get("/desk/audit?thing=case:7")).count("case tested") == 1
    assert text_of(cora.get("/desk/audit?thing=case")).count("case tested") == 50
    assert text_of(cora.get("/desk/audit?who=cora")).count("case tested") == 0
    assert "account looked at" in text_of(cora.get("/desk/audit?thing=account:cora"))
    assert "account looked at" in text_of(cora.get("/desk/audit?what=account."))
    assert "Nothing in the trail" in text_of(cora.get("/desk/audit?who=nobody"))
    assert cora.get("/desk/audit?before=x&who=%25&thing=%3Cscript%3E").status_code == 200


def test_a_refusal_is_in_the_trail(app: Flask) -> None:
    wanda = colleague(app, "wanda")
    wanda.get("/desk/accounts")
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.account_id, entry.what, entry.thing) == (wanda.account_id, "desk.refused", "page:accounts.index")
