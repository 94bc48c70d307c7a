"""Accounts: one coordinator asks, a second one agrees, the invited person sets up; nobody does all of it alone."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.linting import LintingClient
from tests.staff.conftest import Browser, Person, read
from tests.staff.test_own_account import codes_in, offered
from tests.staffing import Colleague, colleague
from wfr.errors import NotAllowed, Refused
from wfr.extensions import db
from wfr.staff.accounts import agree, ask, refuse
from wfr.staff.models import SHELL, Account, AccountState, Actor, AuditEntry, Request, Role
from wfr.staff.queries import people_on_desk

Browsers = Callable[[], Browser]
NEW = "brass lanterns over water"


@pytest.fixture
def two(app: Flask) -> tuple[Colleague, Colleague]:
    """Two coordinators."""
    return colleague(app, "cora", Role.COORDINATOR), colleague(app, "carl", Role.COORDINATOR)


def account_named(app: Flask, name: str) -> Account:
    with app.app_context():
        return db.session.scalars(select(Account).where(Account.name == name)).one()


def propose(cora: Colleague, **changes: str) -> int:
    fields = {"name": "Wanda", "email": "wanda@desk.example.org", "role": "writer", **changes}
    return cora.send("/desk/accounts/propose", **fields).status_code


def decide(who: Colleague, app: Flask, name: str, how: str = "agree") -> int:
    account = account_named(app, name)
    return who.send(f"/desk/accounts/{account.id}/{how}", mark=account.request_mark).status_code


def last_link(app: Flask) -> str:
    letters = sorted(Path(app.extensions["wfr.settings"].outbox).glob("*.eml"))
    message = message_from_bytes(letters[-1].read_bytes(), policy=policy.default)
    body = message.get_body()
    assert body
    found = re.search(r"http://127\.0\.0\.1:8000(/desk/invitation/\S+)", body.get_content())
    assert found
    return found[1]


def set_up(stranger: Browser, link: str, **changes: str) -> tuple[int, str, str]:
    """Open an invitation and fill it in; return the status, the page and the secret."""
    page = stranger.get(link).get_data(as_text=True)
    secret, sealed = offered(page)
    fields = {"password": NEW, "again": NEW, "code": pyotp.TOTP(secret).now(), "sealed": sealed, **changes}
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    answer = stranger.post(link, data={"csrf_token": token[1], **fields})
    return answer.status_code, html.unescape(answer.get_data(as_text=True)), secret


def test_an_account_needs_two_coordinators_and_its_owner(
    app: Flask, two: tuple[Colleague, Colleague], browser: Browsers
) -> None:
    cora, carl = two
    assert propose(cora) == 303
    assert account_named(app, "wanda").state == AccountState.PROPOSED
    assert not list(Path(app.extensions["wfr.settings"].outbox).glob("*"))
    assert decide(cora, app, "wanda") == 403
    assert decide(carl, app, "wanda") == 303
    wanda, link = browser(), last_link(app)
    before = account_named(app, "wanda")
    assert wanda.get(link).status_code == wanda.get(link).status_code == 200
    assert account_named(app, "wanda").invitation == before.invitation
    status, page, secret = set_up(wanda, link)
    assert (status, len(codes_in(page))) == (200, 10)
    assert wanda.get(link).status_code == 410
    someone = Person(0, "wanda", secret, NEW)
    assert wanda.sign_in(someone).location == "/desk/sign-in?again=1", "the code that set it up is used"
    assert wanda.sign_in(someone, code=someone.code(+1)).location == "/desk/"
    assert wanda.get("/desk/accounts").status_code == 403
    with app.app_context():
        assert people_on_desk(db.session) == 3
        told = list(db.session.scalars(select(AuditEntry.what).order_by(AuditEntry.number)))
    for what in ("account.proposed", "desk.refused", "account.request_agreed", "invitation.accepted"):
        assert what in told


def test_the_trail_holds_no_name_and_no_address(app: Flask, two: tuple[Colleague, Colleague]) -> None:
    propose(two[0])
    with app.app_context():
        written = str([(row.thing, row.before, row.after) for row in db.session.scalars(select(AuditEntry))])
    assert "wanda" not in written


def test_an_invitation_is_never_shown_at_the_desk(app: Flask, two: tuple[Colleague, Colleague]) -> None:
    cora, carl = two
    propose(cora)
    account = account_named(app, "wanda")
    answer = carl.send(f"/desk/accounts/{account.id}/agree", mark=account.request_mark)
    token = last_link(app).rpartition("/")[2]
    for page in (answer, carl.get("/desk/accounts"), carl.get(f"/desk/accounts/{account.id}"), carl.get("/desk/audit")):
        assert token not in page.get_data(as_text=True)
    assert token not in (account_named(app, "wanda").invitation or "")


@pytest.mark.parametrize("changes", [{"code": "000000"}, {"password": "password1234", "again": "password1234"}])
def test_a_mistake_leaves_the_invitation_good(
    app: Flask, two: tuple[Colleague, Colleague], browser: Browsers, changes: dict[str, str]
) -> None:
    propose(two[0])
    decide(two[1], app, "wanda")
    link, wanda = last_link(app), browser()
    status, page, _ = set_up(wanda, link, **changes)
    assert status == 422
    assert NEW not in page
    assert set_up(wanda, link)[0] == 200


def test_an_invitation_expires_and_is_replaced(app: Flask, two: tuple[Colleague, Colleague], browser: Browsers) -> None:
    cora, carl = two
    propose(cora)
    decide(carl, app, "wanda")
    first, number = last_link(app), account_named(app, "wanda").id
    cora.send(f"/desk/accounts/{number}/invite")
    second = last_link(app)
    assert first != second
    assert browser().get(first).status_code == 410
    assert browser().get(second).status_code == 200
    with time_machine.travel(account_named(app, "wanda").invitation_ends.timestamp() + 60):  # type: ignore[union-attr]
        assert browser().get(second).status_code == 410
    assert browser().get("/desk/invitation/nonsense").status_code == 410


def test_mail_that_fails_loses_nothing(
    app: Flask, two: tuple[Colleague, Colleague], browser: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    cora, carl = two
    propose(cora)
    outbox = Path(app.extensions["wfr.settings"].outbox)
    outbox.write_text("a file where the folder should be")
    assert decide(carl, app, "wanda") == 303
    page = carl.get("/desk/accounts").get_data(as_text=True)
    assert "could not be sent" in page
    assert "invitation not sent" in page
    account = account_named(app, "wanda")
    assert (account.state, account.invitation) == (AccountState.INVITED, None)
    outbox.unlink()
    carl.send(f"/desk/accounts/{account.id}/invite")
    assert "invited, until" in carl.get("/desk/accounts").get_data(as_text=True)
    assert set_up(browser(), last_link(app))[0] == 200


def test_a_role_changes_when_a_second_coordinator_agrees_and_ends_all_sessions(
    app: Flask, two: tuple[Colleague, Colleague]
) -> None:
    cora, carl = two
    wanda = colleague(app, "wanda")
    assert cora.send(f"/desk/accounts/{wanda.account_id}/role", role="reviewer").status_code == 303
    assert read(app, wanda.account_id).role == Role.WRITER
    assert wanda.get("/desk/me").status_code == 200
    assert decide(cora, app, "wanda") == 403
    assert decide(carl, app, "wanda") == 303
    assert read(app, wanda.account_id).role == Role.REVIEWER
    assert wanda.get("/desk/me").location == "/desk/sign-in?next=/desk/me"


def test_nobody_decides_about_themselves(app: Flask, two: tuple[Colleague, Colleague]) -> None:
    cora, carl = two
    cora.send(f"/desk/accounts/{carl.account_id}/reset")
    assert decide(carl, app, "carl") == 403
    assert decide(carl, app, "carl", "refuse") == 403
    assert decide(cora, app, "carl", "refuse") == 303, "who asked may take it back"
    assert carl.send(f"/desk/accounts/{carl.account_id}/disable").status_code == 403


def test_what_is_agreed_to_is_what_was_shown(app: Flask, two: tuple[Colleague, Colleague]) -> None:
    cora, carl = two
    wanda = colleague(app, "wanda")
    cora.send(f"/desk/accounts/{wanda.account_id}/role", role="reviewer")
    shown = read(app, wanda.account_id).request_mark
    decide(cora, app, "wanda", "refuse")
    cora.send(f"/desk/accounts/{wanda.account_id}/role", role="coordinator")
    assert carl.send(f"/desk/accounts/{wanda.account_id}/agree", mark=shown).status_code == 409
    assert carl.send(f"/desk/accounts/{wanda.account_id}/agree").status_code == 409
    assert read(app, wanda.account_id).role == Role.WRITER


def test_a_reset_takes_everything_away_and_invites_anew(
    app: Flask, two: tuple[Colleague, Colleague], person: Callable[..., Person], browser: Browsers
) -> None:
    cora, carl = two
    rhea, hers = person(), browser()
    hers.sign_in(rhea)
    cora.send(f"/desk/accounts/{rhea.id}/reset")
    assert hers.is_in()
    decide(carl, app, "rhea")
    assert not hers.is_in()
    assert hers.sign_in(rhea, code=rhea.code(+1)).location == "/desk/sign-in?again=1"
    account = read(app, rhea.id)
    assert (account.password_hash, account.totp_secret) == (None, None)
    assert set_up(hers, last_link(app))[0] == 200


def test_disabling_needs_one_and_ends_sessions_and_enabling_needs_two(
    app: Flask, two: tuple[Colleague, Colleague], browser: Browsers
) -> None:
    cora, carl = two
    wanda = colleague(app, "wanda")
    assert cora.send(f"/desk/accounts/{wanda.account_id}/disable").status_code == 303
    assert wanda.get("/desk/me").status_code == 303
    assert cora.send(f"/desk/accounts/{wanda.account_id}/disable").status_code == 409
    assert cora.send(f"/desk/accounts/{wanda.account_id}/enable").status_code == 303
    assert read(app, wanda.account_id).state == AccountState.DISABLED
    assert decide(carl, app, "wanda") == 303
    assert set_up(browser(), last_link(app))[0] == 200


def test_a_refused_proposal_is_disabled_and_its_number_stays_taken(
    app: Flask, two: tuple[Colleague, Colleague]
) -> None:
    cora, carl = two
    propose(cora)
    assert decide(carl, app, "wanda", "refuse") == 303
    assert account_named(app, "wanda").state == AccountState.DISABLED
    assert propose(cora) == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "w"},
        {"name": "wan/da"},
        {"name": "CORA"},
        {"email": "nobody"},
        {"email": "a@b"},
        {"email": "a@example.org\nBcc: b@example.org"},
        {"role": "owner"},
    ],
)
def test_a_proposal_that_cannot_be_is_refused(
    app: Flask, two: tuple[Colleague, Colleague], changes: dict[str, str]
) -> None:
    assert propose(two[0], **changes) == 422


@pytest.mark.parametrize("role", [Role.WRITER, Role.REVIEWER])
def test_accounts_and_trail_are_for_coordinators(app: Flask, role: Role) -> None:
    someone = colleague(app, "someone", role)
    for path in ("/desk/accounts", "/desk/accounts/new", f"/desk/accounts/{someone.account_id}", "/desk/audit"):
        assert someone.get(path).status_code == 403
    for verb in ("role", "reset", "enable", "agree", "refuse", "disable", "invite"):
        assert someone.send(f"/desk/accounts/{someone.account_id}/{verb}").status_code == 403


def test_every_verb_about_accounts_asks_for_a_fresh_code(app: Flask) -> None:
    cora = colleague(app, "cora", Role.COORDINATOR, fresh=False)
    wanda = colleague(app, "wanda")
    for verb in ("role", "reset", "enable", "agree", "refuse", "disable", "invite"):
        answer = cora.send(f"/desk/accounts/{wanda.account_id}/{verb}", role="reviewer")
        assert (answer.status_code, "A fresh code" in answer.get_data(as_text=True)) == (403, True)
    assert read(app, wanda.account_id).request is None


def test_the_verbs_themselves_refuse_who_is_no_second_coordinator(app: Flask) -> None:
    cora = colleague(app, "cora", Role.COORDINATOR)
    rhea, wanda = colleague(app, "rhea", Role.REVIEWER), colleague(app, "wanda")
    with app.app_context():
        ask(account_id=wanda.account_id, request=Request.ROLE, role=Role.REVIEWER, by=Actor(cora.account_id))
        mark = read(app, wanda.account_id).request_mark
        for other in (cora, rhea, wanda):
            with pytest.raises(NotAllowed):
                agree(account_id=wanda.account_id, mark=mark, by=Actor(other.account_id))
        with pytest.raises(NotAllowed):
            refuse(account_id=wanda.account_id, mark=mark, by=Actor(rhea.account_id))
        with pytest.raises(Refused):
            ask(account_id=wanda.account_id, request=Request.RESET, by=Actor(cora.account_id))
        agree(account_id=wanda.account_id, mark=None, by=SHELL)
    assert read(app, wanda.account_id).role == Role.REVIEWER


def test_a_strangers_browser_is_sent_to_the_door(visitor: LintingClient) -> None:
    for path in ("/desk/accounts", "/desk/audit", "/desk/me", "/desk/me/second-factor"):
        assert visitor.get(path).location.startswith("/desk/sign-in")
