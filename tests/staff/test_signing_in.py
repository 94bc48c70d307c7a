"""The door of the desk: who comes in, what a stranger learns, and how little."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.conftest import close_database, make_settings
from tests.staff.conftest import Browser, Person, read
from wfr import create_app
from wfr.extensions import db, transaction, utc_now
from wfr.staff import passwords
from wfr.staff.models import Account, AccountState, AuditEntry, DeskSession
from wfr.staff.sessions import end_other_sessions

People = Callable[..., Person]
Browsers = Callable[[], Browser]


def entries(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry.what).order_by(AuditEntry.number)))


def test_name_password_and_code_open_the_desk(app: Flask, person: People, browser: Browsers) -> None:
    rhea, hers = person(), browser()
    answer = hers.sign_in(rhea)
    assert (answer.status_code, answer.location) == (303, "/desk/")
    assert hers.is_in()
    assert entries(app) == ["session.started"]


@pytest.mark.parametrize("wrong", [{"name": "nobody"}, {"password": "not the one at all"}, {"code": "000000"}])
def test_one_of_three_wrong_is_wrong(person: People, browser: Browsers, wrong: dict[str, str]) -> None:
    rhea, hers = person(), browser()
    answer = hers.sign_in(rhea, **wrong)
    assert answer.location == "/desk/sign-in?again=1"
    page = hers.get(answer.location).get_data(as_text=True)
    assert "That did not match. Check name, password and code." in page
    assert not hers.is_in()


def test_the_name_may_be_typed_in_capitals(person: People, browser: Browsers) -> None:
    assert browser().sign_in(person(), name=" RHEA ").location == "/desk/"


def test_known_and_unknown_names_get_the_same_bytes(app: Flask, person: People, browser: Browsers) -> None:
    rhea = person()
    person("off", state=AccountState.DISABLED)
    person("new", state=AccountState.INVITED)
    answers = set()
    for changes in (
        {"password": "wrong wrong wrong"},
        {"code": "123456"},
        {"name": "nobody"},
        {"name": "off"},
        {"name": "new"},
        {"name": ""},
        {"name": "x" * 5000, "password": "y" * 5000, "code": "١٢٣٤٥٦"},
    ):
        stranger = browser()
        answer = stranger.sign_in(rhea, **changes)
        headers = tuple(sorted((name, value) for name, value in answer.headers if name != "Set-Cookie"))
        page = re.sub(r'value="[^"]+"', "", stranger.get(answer.location).get_data(as_text=True))
        answers.add((answer.status_code, answer.data, headers, page))
    assert len(answers) == 1


def test_unknown_names_cost_the_same_work(
    app: Flask, person: People, browser: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    rhea, work = person(), []
    verify = type(passwords.HASHER).verify
    monkeypatch.setattr(
        type(passwords.HASHER), "verify", lambda self, kept, given: work.append(kept) or verify(self, kept, given)
    )
    browser().sign_in(rhea, password="wrong wrong wrong")
    browser().sign_in(rhea, name="nobody")
    assert len(work) == 2
    assert {kept.rpartition("$")[0].rpartition("$")[0] for kept in work} == {"$argon2id$v=19$m=64,t=1,p=1"}
    assert entries(app) == ["sign_in.refused"] * 2


def test_a_code_works_once(person: People, browser: Browsers) -> None:
    rhea, code = person(), None
    code = rhea.code()
    assert browser().sign_in(rhea, code=code).location == "/desk/"
    assert browser().sign_in(rhea, code=code).location == "/desk/sign-in?again=1"
    assert browser().sign_in(rhea, code=rhea.code(+1)).location == "/desk/"
    assert browser().sign_in(rhea, code=code).location == "/desk/sign-in?again=1"


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_code_of_another_minute_is_refused(person: People, browser: Browsers, steps: int) -> None:
    rhea = person()
    with time_machine.travel(1_800_000_015, tick=False):
        assert browser().sign_in(rhea, code=rhea.code(steps)).location == "/desk/sign-in?again=1"


def test_the_secret_is_encrypted_at_rest(app: Flask, person: People) -> None:
    rhea = person()
    assert rhea.secret not in (read(app, rhea.id).totp_secret or "")


@pytest.mark.parametrize(
    ("wanted", "opened"),
    [
        ("/desk/me", "/desk/me"),
        ("/desk/cases/ada?tab=fr", "/desk/cases/ada?tab=fr"),
        ("https://evil.example/desk/", "/desk/"),
        ("//evil.example/desk/", "/desk/"),
        ("/\\evil.example/desk/", "/desk/"),
        ("/desk/\\..\\evil", "/desk/"),
        ("/desk/../privacy", "/desk/"),
        ("/desktop", "/desk/"),
        ("/", "/desk/"),
        ("javascript:alert(1)", "/desk/"),
        ("/desk/\nSet-Cookie: x=y", "/desk/"),
    ],
)
def test_signing_in_leads_on_to_the_desk_and_nowhere_else(
    person: People, browser: Browsers, wanted: str, opened: str
) -> None:
    assert browser().sign_in(person(), next=wanted).location == opened


def test_the_door_remembers_where_one_wanted_to_go(person: People, browser: Browsers) -> None:
    hers = browser()
    asked = hers.get("/desk/me")
    assert asked.location == "/desk/sign-in?next=/desk/me"
    assert 'name="next" value="/desk/me"' in hers.get(asked.location).get_data(as_text=True)
    assert hers.sign_in(person(), code="0", next="/desk/me").location == "/desk/sign-in?again=1&next=/desk/me"


def test_without_a_token_of_this_browser_nothing_is_checked(app: Flask, person: People, browser: Browsers) -> None:
    rhea, hers = person(), browser()
    fields = {"name": rhea.name, "password": rhea.password, "code": rhea.code()}
    assert hers.post("/desk/sign-in", data=fields).status_code == 400
    assert hers.post("/desk/sign-in", data={**fields, "csrf_token": browser().token()}).status_code == 400
    assert entries(app) == []


def test_what_was_in_the_browser_before_does_not_live_on(person: People, browser: Browsers) -> None:
    hers = browser()
    with hers.session_transaction("/desk/") as cookie:
        cookie["planted"] = "by somebody else"
    before = hers.token()
    hers.sign_in(person())
    with hers.session_transaction("/desk/") as cookie:
        assert "planted" not in cookie
    assert hers.post("/desk/sign-out", data={"csrf_token": before}).status_code == 400


def test_signing_out_ends_the_session_itself(app: Flask, person: People, browser: Browsers) -> None:
    hers = browser()
    hers.sign_in(person())
    cookie = hers.get_cookie("desk")
    assert cookie
    assert hers.send("/desk/sign-out").location == "/desk/sign-in"
    thief = browser()
    thief.set_cookie("desk", cookie.value)
    assert not thief.is_in()
    assert not hers.is_in()
    assert entries(app)[-1] == "session.ended"


@pytest.mark.parametrize(
    ("moved", "stays"),
    [
        ({"seen_at": timedelta(minutes=29)}, True),
        ({"seen_at": timedelta(minutes=31)}, False),
        ({"started_at": timedelta(hours=11, minutes=59)}, True),
        ({"started_at": timedelta(hours=12, minutes=1)}, False),
    ],
)
def test_a_session_ends_by_itself(
    app: Flask, person: People, browser: Browsers, moved: dict[str, timedelta], stays: bool
) -> None:
    hers = browser()
    hers.sign_in(person())
    with app.app_context(), transaction() as session:
        for row in session.scalars(select(DeskSession)):
            for name, by in moved.items():
                setattr(row, name, utc_now() - by)
    assert hers.is_in() is stays


def test_a_session_of_an_earlier_epoch_is_over(app: Flask, person: People, browser: Browsers) -> None:
    rhea, hers = person(), browser()
    hers.sign_in(rhea)
    with app.app_context(), transaction() as session:
        account = session.get(Account, rhea.id)
        assert account
        end_other_sessions(session, account)
    assert not hers.is_in()


def test_old_parameters_of_a_password_are_renewed_when_it_is_used(
    app: Flask, person: People, browser: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    rhea = person()
    monkeypatch.setattr(passwords, "HASHER", type(passwords.HASHER)(time_cost=2, memory_cost=64, parallelism=1))
    assert browser().sign_in(rhea).location == "/desk/"
    assert (read(app, rhea.id).password_hash or "").startswith("$argon2id$v=19$m=64,t=2,p=1$")


def test_a_flood_of_checks_waits_its_turn_and_is_turned_away(
    person: People, browser: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.01)
    rhea = person()
    with passwords._room(), passwords._room():
        assert browser().sign_in(rhea).location == "/desk/sign-in?again=later"


def test_on_https_cookies_are_for_this_host_alone(database_url: str, tmp_path: Path) -> None:
    settings = make_settings(
        tmp_path,
        database_url,
        WFR_BASE_URL="https://write.example.org",
        SECRET_KEY="k" * 40,
        MAIL_URL="smtp://mail.example.org:587",
        WFR_PRIVACY_CONTACT="privacy@example.org",
    )
    app = create_app(settings)
    with app.app_context():
        from tests.staffing import make_account  # noqa: PLC0415
        from wfr.staff.second_factor import open_secret  # noqa: PLC0415

        account = make_account("rhea", password_hash=passwords.hashed("violet otters quietly map"))
        rhea = Person(account.id, "rhea", open_secret(account.totp_secret or ""))
    hers, origin = Browser(app, app.response_class), "https://write.example.org"
    data = {"csrf_token": hers.token(base_url=origin), "name": "rhea", "password": rhea.password, "code": rhea.code()}
    answer = hers.post("/desk/sign-in", data=data, base_url=origin, headers={"Referer": f"{origin}/desk/sign-in"})
    cookies = {value.partition("=")[0]: value for value in answer.headers.getlist("Set-Cookie")}
    assert cookies.keys() == {"__Host-desk", "__Host-desk-device"}
    for value in cookies.values():
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(value.split("; "))
        assert "Domain" not in value
    assert hers.get("/desk/me", base_url=origin).status_code == 200
    close_database(app)


def test_public_pages_know_nothing_of_the_desk(season: object, person: People, browser: Browsers) -> None:
    hers = browser()
    hers.sign_in(person())
    for path in ("/", "/privacy", "/cases/ada-vale", "/cases/ada-vale/letter", "/nothing-here"):
        answer = hers.get(path)
        assert "Set-Cookie" not in answer.headers
        assert "cookie" not in answer.headers.get("Vary", "").lower()


def test_nothing_is_checked_while_the_database_is_away(
    app: Flask, person: People, browser: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    rhea, hers, asked = person(), browser(), []
    token = hers.token()
    monkeypatch.setattr(passwords, "matches", lambda *given: asked.append(given))
    if app.extensions["wfr.settings"].uses_sqlite:
        database = Path(app.extensions["wfr.settings"].database_url.removeprefix("sqlite:///"))
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        database.rename(database.with_suffix(".away"))
        database.mkdir()
    else:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
            monkeypatch.setattr(db.engine.dialect, "connect", _refuse)
    fields = {"name": rhea.name, "password": rhea.password, "code": rhea.code()}
    assert hers.post("/desk/sign-in", data={"csrf_token": token, **fields}).status_code == 503
    assert asked == []
    if app.extensions["wfr.settings"].uses_sqlite:
        database.rmdir()
        database.with_suffix(".away").rename(database)


def _refuse(*_given: object, **_more: object) -> None:
    import psycopg  # noqa: PLC0415

    raise psycopg.OperationalError("the server has gone")
