"""The campaign's account on X: connected by a coordinator at the desk, kept by renewing its tokens, let go of."""

from __future__ import annotations

import html
import logging
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask, url_for
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from tests.acting import text_of
from tests.conftest import make_settings
from tests.share.fake_x import FakeX
from tests.staffing import Colleague, colleague
from wfr.config import Settings
from wfr.extensions import Base, db, transaction, utc_now
from wfr.share.models import AccountState, XAccount, XConnecting
from wfr.share.renewing import CALLBACK, NotConnected, note_problem, usable_access
from wfr.staff.models import AuditEntry, Role

TOKEN, ME, REVOKE = "POST /2/oauth2/token", "GET /2/users/me", "POST /2/oauth2/revoke"
HOME = "/desk/share/account"
LINK = re.compile(r'href="(https://x\.com/i/oauth2/authorize[^"]+)"')
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def fake() -> Iterator[FakeX]:
    with FakeX().answering() as fake:
        yield fake


@pytest.fixture
def settings(database_url: str, tmp_path: Path, fake: FakeX) -> Settings:
    app = {"WFR_X_CLIENT_ID": fake.client_id, "WFR_X_CLIENT_SECRET": fake.client_secret}
    return make_settings(tmp_path, database_url, **app)


@pytest.fixture
def cora(app: Flask) -> Colleague:
    return colleague(app, "cora", Role.COORDINATOR)


def leave(who: Colleague) -> str:
    """Begin at the desk and return the address at X that the page leads to."""
    found = LINK.search(who.send(f"{HOME}/connect").get_data(as_text=True))
    assert found, "no way to X"
    return html.unescape(found[1])


def come_back(who: Colleague, back: dict[str, str]) -> TestResponse:
    """Come back from X with what it sends, and press the button."""
    page = who.get(CALLBACK, query_string=back)
    assert page.status_code == 200 and "Finish connecting" in text_of(page)
    return who.send(CALLBACK, **back)


def connect(who: Colleague, fake: FakeX) -> XAccount:
    """Connect the account of `fake` and return it."""
    assert come_back(who, fake.allow(leave(who))).status_code == 303
    with who.application.app_context():
        return db.session.scalars(select(XAccount).order_by(XAccount.id.desc())).first()  # type: ignore[return-value]


def accounts(app: Flask) -> list[XAccount]:
    with app.app_context():
        return list(db.session.scalars(select(XAccount).order_by(XAccount.id)))


def deeds(app: Flask) -> list[tuple[str, Any]]:
    """What the audit trail says of X."""
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.number))
        return [(entry.what, entry.after.get("why")) for entry in entries if entry.what.startswith("x.")]


def everything_stored(app: Flask) -> str:
    """Every value of every row of every table."""
    with app.app_context(), db.engine.connect() as connection:
        tables = Base.metadata.sorted_tables
        return repr([[tuple(row) for row in connection.execute(select(table))] for table in tables])


def assert_nothing_linked(app: Flask, answer: TestResponse, fake: FakeX, words: str, why: str | None) -> None:
    assert answer.status_code == 409 and words in text_of(answer)
    assert accounts(app) == [] and fake.count(ME) == 0
    assert deeds(app) == ([("x.connect_refused", why)] if why else [])


@only_sqlite
def test_a_coordinator_connects_the_account_and_the_desk_shows_it(app: Flask, cora: Colleague, fake: FakeX) -> None:
    assert "No account is connected" in text_of(cora.get(HOME))
    account = connect(cora, fake)
    assert (account.user_id, account.handle, account.connected_by) == (fake.user_id, fake.handle, cora.account_id)
    page = text_of(cora.get(HOME))
    assert "Connected: @sunrise_letters." in page
    assert "by cora" in page and "read its posts, post, see whose it is, add pictures, stay connected" in page
    assert "$0.00 of $20.00 this month" in page
    with app.app_context():
        now = utc_now()
        assert usable_access(now=now)[1] in fake.access
    assert deeds(app) == [("x.connected", None)] and fake.count(TOKEN) == 1


@only_sqlite
def test_the_callback_address_is_the_page_that_answers_there(app: Flask, cora: Colleague) -> None:
    asked = parse_qs(urlsplit(leave(cora)).query)
    with app.test_request_context():
        assert url_for("x_account.callback") == CALLBACK
        assert asked["redirect_uri"] == [app.extensions["wfr.settings"].base_url + CALLBACK]
    assert app.extensions["wfr.settings"].base_url + CALLBACK in text_of(cora.get(HOME))


@only_sqlite
def test_opening_the_callback_connects_nothing_by_itself(app: Flask, cora: Colleague, fake: FakeX) -> None:
    back = fake.allow(leave(cora))
    assert cora.get(CALLBACK, query_string=back).status_code == 200
    assert cora.post(CALLBACK, data=back).status_code == 400, "a form without a token"
    assert accounts(app) == [] and fake.asked == []
    assert come_back(cora, back).status_code == 303


@only_sqlite
@pytest.mark.parametrize("state", ["", "a-state-that-somebody-made-up"], ids=["absent", "swapped"])
def test_a_state_that_is_not_ours_links_nothing(app: Flask, cora: Colleague, fake: FakeX, state: str) -> None:
    code = fake.allow(leave(cora))["code"]
    answer = come_back(cora, {"code": code} | ({"state": state} if state else {}))
    assert_nothing_linked(app, answer, fake, "not to a question of ours", "unknown")
    assert fake.asked == []


@only_sqlite
def test_a_state_is_good_once(app: Flask, cora: Colleague, fake: FakeX) -> None:
    back = fake.allow(leave(cora))
    assert come_back(cora, back).status_code == 303
    other = fake.allow(leave(cora))
    fake.asked.clear()
    again = come_back(cora, {"state": back["state"], "code": other["code"]})
    assert again.status_code == 409 and "was used before" in text_of(again)
    assert len(accounts(app)) == 1 and fake.asked == []


@only_sqlite
def test_a_state_is_used_up_even_where_x_refuses_the_code(app: Flask, cora: Colleague, fake: FakeX) -> None:
    back = fake.allow(leave(cora))
    refused = come_back(cora, {"state": back["state"], "code": "a-wrong-code"})
    assert_nothing_linked(app, refused, fake, "X did not take the answer back", "refused")
    assert "was used before" in text_of(come_back(cora, back))
    assert accounts(app) == []


@only_sqlite
def test_after_ten_minutes_a_state_links_nothing(app: Flask, cora: Colleague, fake: FakeX) -> None:
    back = fake.allow(leave(cora))
    with time_machine.travel(utc_now() + timedelta(minutes=11), tick=False), app.app_context():
        with transaction() as session:
            session.execute(text("UPDATE desk_sessions SET code_at = :now"), {"now": utc_now()})
        answer = come_back(cora, back)
    assert_nothing_linked(app, answer, fake, "More than ten minutes", "late")
    assert fake.asked == []


@only_sqlite
def test_a_callback_in_another_browser_links_nothing(app: Flask, cora: Colleague, fake: FakeX) -> None:
    back = fake.allow(leave(cora))
    dora = colleague(app, "dora", Role.COORDINATOR)
    answer = come_back(dora, back)
    assert_nothing_linked(app, answer, fake, "in another browser", "elsewhere")
    assert fake.asked == []
    assert come_back(cora, back).status_code == 303, "and the one who began it may still finish"


@only_sqlite
def test_a_callback_in_another_session_of_the_same_person_links_nothing(
    app: Flask, cora: Colleague, fake: FakeX
) -> None:
    back = fake.allow(leave(cora))
    phone = colleague(app, "on-the-phone", Role.COORDINATOR)
    with app.app_context(), transaction() as session:
        moved = {"cora": cora.account_id, "other": phone.account_id}
        session.execute(text("UPDATE desk_sessions SET account_id = :cora WHERE account_id = :other"), moved)
    assert_nothing_linked(app, come_back(phone, back), fake, "in another browser", "elsewhere")


@only_sqlite
def test_two_states_cannot_be_crossed_between_two_coordinators(app: Flask, cora: Colleague, fake: FakeX) -> None:
    dora = colleague(app, "dora", Role.COORDINATOR)
    coras, doras = fake.allow(leave(cora)), fake.allow(leave(dora))
    answer = come_back(cora, {"state": coras["state"], "code": doras["code"]})
    assert_nothing_linked(app, answer, fake, "X did not take the answer back", "refused")


@only_sqlite
def test_a_callback_of_a_stranger_asks_to_sign_in(app: Flask, cora: Colleague, fake: FakeX) -> None:
    back = fake.allow(leave(cora))
    assert app.test_client().get(CALLBACK, query_string=back).status_code == 303
    assert colleague(app, "wim", Role.WRITER).get(CALLBACK, query_string=back).status_code == 403
    assert accounts(app) == [] and fake.asked == []


@only_sqlite
def test_who_says_no_at_x_has_connected_nothing(app: Flask, cora: Colleague, fake: FakeX) -> None:
    state = fake.allow(leave(cora))["state"]
    answer = cora.get(CALLBACK, query_string={"state": state, "error": "access_denied"})
    assert_nothing_linked(app, answer, fake, "nobody allowed it", None)


@only_sqlite
def test_half_a_permission_links_nothing_and_is_given_back(app: Flask, cora: Colleague, fake: FakeX) -> None:
    fake.scopes = ("tweet.read", "users.read", "offline.access")
    answer = come_back(cora, fake.allow(leave(cora)))
    assert_nothing_linked(app, answer, fake, "did not grant all", "scopes")
    assert fake.access == {} and fake.refresh == {}


@only_sqlite
@pytest.mark.parametrize(("status", "why"), [(429, "limited"), (503, "unclear"), (401, "unauthorised")])
def test_where_x_gives_no_answer_nothing_is_linked(
    app: Flask, cora: Colleague, fake: FakeX, status: int, why: str
) -> None:
    back = fake.allow(leave(cora))
    fake.next(status, at=TOKEN)
    assert_nothing_linked(app, come_back(cora, back), fake, "Nothing was connected.", why)


@only_sqlite
def test_connecting_another_account_ends_the_one_before_here_and_at_x(app: Flask, cora: Colleague, fake: FakeX) -> None:
    connect(cora, fake)
    first = dict(fake.access)
    fake.user_id, fake.handle = "4200000000000000002", "sunset_letters"
    connect(cora, fake)
    before, after = accounts(app)
    assert (before.state, before.access, before.refresh) == (AccountState.REVOKED, "", "") and before.ended_at
    assert (after.state, after.handle) == (AccountState.CONNECTED, "sunset_letters")
    assert not set(first) & set(fake.access) and fake.count(REVOKE) == 2


@only_sqlite
def test_connecting_the_same_account_again_leaves_its_new_tokens_alone(
    app: Flask, cora: Colleague, fake: FakeX
) -> None:
    connect(cora, fake)
    connect(cora, fake)
    assert [account.state for account in accounts(app)] == [AccountState.REVOKED, AccountState.CONNECTED]
    assert fake.count(REVOKE) == 0


@only_sqlite
@pytest.mark.parametrize("told", [True, False], ids=["X is told", "X cannot be told"])
def test_disconnecting_forgets_the_tokens_here_and_at_x(app: Flask, cora: Colleague, fake: FakeX, told: bool) -> None:
    connect(cora, fake)
    if not told:
        fake.refuse_connection(at=REVOKE)
    assert cora.send(f"{HOME}/disconnect").status_code == 303
    (account,) = accounts(app)
    assert (account.state, account.access, account.refresh) == (AccountState.REVOKED, "", "")
    assert (fake.access == {}) is told and fake.refresh == {}
    assert ("X could not be told" in text_of(cora.get(HOME))) is not told
    assert deeds(app) == [("x.connected", None), ("x.disconnected", None)]
    assert cora.send(f"{HOME}/disconnect").status_code == 409
    with app.app_context(), pytest.raises(NotConnected, match="not_connected"):
        usable_access(now=utc_now())


def tokens_of(app: Flask, fake: FakeX, *, minutes_left: int = 1) -> None:
    """Let the connected account's access token run out soon."""
    with app.app_context(), transaction() as session:
        account = session.scalars(select(XAccount).order_by(XAccount.id.desc())).first()
        assert account is not None
        account.expires_at = utc_now() + timedelta(minutes=minutes_left)
    fake.asked.clear()


@only_sqlite
def test_tokens_are_renewed_when_they_run_out_and_both_are_new(app: Flask, cora: Colleague, fake: FakeX) -> None:
    connect(cora, fake)
    for _time in range(3):
        tokens_of(app, fake)
        with app.app_context():
            account, access = usable_access(now=utc_now())
            assert fake.access[access] and account.expires_at - utc_now() > timedelta(hours=1)
            assert usable_access(now=utc_now())[1] == access
        assert fake.count(TOKEN) == 1


@only_sqlite
@pytest.mark.parametrize("status", [400, 401])
def test_where_x_knows_the_refresh_token_no_longer_a_new_connection_is_asked_for(
    app: Flask, cora: Colleague, fake: FakeX, status: int
) -> None:
    connect(cora, fake)
    tokens_of(app, fake)
    fake.next(status, at=TOKEN, body={"error": "invalid_grant", "error_description": "gone"})
    for _time in range(2):
        with app.app_context(), pytest.raises(NotConnected, match="reconnect"):
            usable_access(now=utc_now())
    (account,) = accounts(app)
    assert (account.state, account.access, account.refresh) == (AccountState.EXPIRED, "", "")
    assert "Connect it again" in text_of(cora.get(HOME)) and fake.count(TOKEN) == 1
    assert deeds(app)[-1] == ("x.expired", None)
    connect(cora, fake)
    page = text_of(cora.get(HOME))
    assert "Nobody else can open our links" in page and "Approved posts would go out as" in page
    settings = app.extensions["wfr.settings"]
    app.extensions["wfr.settings"] = settings.model_copy(update={"public_url": "https://write.example.org"})
    page = text_of(cora.get(HOME))
    assert "leaves this machine" not in page and "Approved posts go out as" in page


@only_sqlite
@pytest.mark.parametrize("rotated", [False, True], ids=["before X took it", "after X took it"])
def test_a_lost_answer_to_a_renewal_is_tried_again_later(
    app: Flask, cora: Colleague, fake: FakeX, rotated: bool
) -> None:
    connect(cora, fake)
    tokens_of(app, fake)
    fake.time_out(at=TOKEN, after=rotated)
    now = utc_now()
    with app.app_context():
        with pytest.raises(NotConnected, match="unclear"):
            usable_access(now=now)
        with pytest.raises(NotConnected, match="busy"):
            usable_access(now=now + timedelta(minutes=1))
        assert fake.count(TOKEN) == 1
        if rotated:
            with pytest.raises(NotConnected, match="reconnect"):
                usable_access(now=now + timedelta(minutes=3))
        else:
            assert usable_access(now=now + timedelta(minutes=3))[1] in fake.access
            assert accounts(app)[0].problem is None


@only_sqlite
def test_a_renewal_that_did_not_reach_x_is_tried_at_the_next_occasion(app: Flask, cora: Colleague, fake: FakeX) -> None:
    connect(cora, fake)
    tokens_of(app, fake)
    fake.refuse_connection(at=TOKEN)
    with app.app_context():
        with pytest.raises(NotConnected, match="unclear"):
            usable_access(now=utc_now())
        assert usable_access(now=utc_now())[1] in fake.access


@only_sqlite
def test_a_limit_met_while_renewing_pauses_posting_and_is_shown(app: Flask, cora: Colleague, fake: FakeX) -> None:
    connect(cora, fake)
    tokens_of(app, fake)
    fake.next(429, at=TOKEN, headers={"retry-after": "3600"})
    with app.app_context(), pytest.raises(NotConnected, match="limited"):
        usable_access(now=utc_now())
    pause = accounts(app)[0].paused_until
    assert pause is not None and timedelta(minutes=59) < pause - utc_now() <= timedelta(hours=1)
    assert "X takes no more posts from us for now" in text_of(cora.get(HOME))


@only_sqlite
def test_disconnecting_while_another_process_renews_wins(app: Flask, cora: Colleague, fake: FakeX) -> None:
    connect(cora, fake)
    tokens_of(app, fake)
    fake.meanwhile(lambda: cora.send(f"{HOME}/disconnect"), at=TOKEN)
    with app.app_context(), pytest.raises(NotConnected, match="not_connected"):
        usable_access(now=utc_now())
    assert accounts(app)[0].access == "" and fake.access == {} and fake.refresh == {}


def test_two_processes_renew_once_between_them(app: Flask, cora: Colleague, fake: FakeX) -> None:
    connect(cora, fake)
    tokens_of(app, fake)
    together, results = threading.Barrier(4), list[str]()

    def renew() -> None:
        with app.app_context():
            together.wait(10)
            try:
                results.append(usable_access(now=utc_now())[1])
            except NotConnected as refusal:
                results.append(refusal.why)

    threads = [threading.Thread(target=renew) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert fake.count(TOKEN) == 1 and len(results) == 4
    good = set(results) - {"busy"}
    assert len(good) == 1 and good <= set(fake.access)
    assert accounts(app)[0].state == AccountState.CONNECTED


@only_sqlite
def test_a_problem_that_only_a_new_connection_ends_lets_nobody_in(app: Flask, cora: Colleague, fake: FakeX) -> None:
    account = connect(cora, fake)
    with app.app_context():
        note_problem(account.id, "reconnect")
        with pytest.raises(NotConnected, match="reconnect"):
            usable_access(now=utc_now())
    page = cora.get(HOME)
    assert "Nothing goes out until you connect the account again" in text_of(page) and "Connect an account" in text_of(
        page
    )
    connect(cora, fake)
    with app.app_context():
        assert usable_access(now=utc_now())[1] in fake.access


@only_sqlite
def test_no_token_is_stored_in_clear_or_logged(
    app: Flask, cora: Colleague, fake: FakeX, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "tweepy.client", "requests_oauthlib.oauth2_session", "urllib3.connectionpool"):
        caplog.set_level(logging.DEBUG, name)
    address = leave(cora)
    back = fake.allow(address)
    pages = [cora.get(CALLBACK, query_string=back), cora.send(CALLBACK, **back), cora.get(HOME)]
    tokens_of(app, fake)
    with app.app_context():
        usable_access(now=utc_now())
    stored = everything_stored(app)
    tokens = [secret for secret in fake.secrets if not secret.startswith("code")]
    assert len(tokens) == 4 and fake.handle in stored
    assert not [secret for secret in [*fake.secrets, back["state"], str(fake.client_secret)] if secret in stored]
    assert not [secret for secret in [*fake.secrets, str(fake.client_secret)] if secret in caplog.text]
    assert not [token for token in tokens for page in pages if token in page.get_data(as_text=True)]
    with app.app_context():
        assert [row.verifier for row in db.session.scalars(select(XConnecting))] == [""]


@only_sqlite
def test_without_credentials_the_desk_says_what_to_set(app: Flask, cora: Colleague) -> None:
    app.extensions["wfr.settings"] = app.extensions["wfr.settings"].model_copy(update={"x_client_id": None})
    page = text_of(cora.get(HOME))
    assert "would have been sent" in page and "WFR_X_CLIENT_ID" in page and "Connect an account" not in page
    assert cora.send(f"{HOME}/connect").status_code == 409
    with app.app_context(), pytest.raises(NotConnected, match="no_app"):
        usable_access(now=utc_now())
