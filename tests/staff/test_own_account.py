"""What people change about their own account, and what is over by that."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from tests.staff.conftest import Browser, Person, read
from wfr.extensions import db, transaction, utc_now
from wfr.staff.models import AuditEntry, DeskSession, RecoveryCode

People = Callable[..., Person]
Browsers = Callable[[], Browser]
NEW = "brass lanterns over water"


def forget_code(app: Flask) -> None:
    """Make everybody's last code older than five minutes."""
    with app.app_context(), transaction() as session:
        session.execute(update(DeskSession).values(code_at=utc_now() - timedelta(minutes=6)))


def codes_in(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z0-9-]+)</code>", page)


def offered(page: str) -> tuple[str, str]:
    """Return the secret a page offers and the sealed copy its form sends back."""
    secret = re.search(r"secret=([A-Z2-7]+)", html.unescape(page))
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    assert secret and sealed
    return secret[1], sealed[1]


def change(browser: Browser, **fields: str) -> int:
    fields = {"present": "violet otters quietly map", "password": NEW, "again": NEW, **fields}
    return browser.send("/desk/me/password", **fields).status_code


def test_a_new_password_ends_every_other_session(app: Flask, person: People, browser: Browsers) -> None:
    rhea, here, there = person(), browser(), browser()
    there.sign_in(rhea, code=rhea.code(-1))
    here.sign_in(rhea)
    assert change(here) == 303
    assert here.is_in()
    assert not there.is_in()
    assert there.sign_in(rhea, code=rhea.code(+1)).location == "/desk/sign-in?again=1"
    rhea.password = NEW
    assert there.sign_in(rhea, code=rhea.code(+1)).location == "/desk/"
    with app.app_context():
        assert "password.changed" in db.session.scalars(select(AuditEntry.what)).all()


def test_a_new_password_makes_other_devices_strangers_again(app: Flask, person: People, browser: Browsers) -> None:
    rhea, here, there = person(), browser(), browser()
    there.sign_in(rhea, code=rhea.code(-1))
    here.sign_in(rhea)
    change(here)
    for _ in range(12):
        browser().sign_in(rhea, password="wrong wrong wrong")
    rhea.password = NEW
    there.delete_cookie("desk")
    assert there.sign_in(rhea, code=rhea.code(+1)).location == "/desk/sign-in?again=later"
    here.delete_cookie("desk")
    assert here.sign_in(rhea, code=rhea.code(+1)).location == "/desk/"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"present": "not this one at all"}, "This is not your present password"),
        ({"password": "short", "again": "short"}, "Take at least 12 characters"),
        ({"password": "password123456", "again": "password123456"}, "Too many people use this password"),
        ({"password": "rhea over the hills", "again": "rhea over the hills"}, "Leave your own name"),
        ({"again": "something else"}, "Type the same password twice"),
        ({"password": "violet otters quietly map", "again": "violet otters quietly map"}, "Take another one"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    app: Flask, person: People, browser: Browsers, fields: dict[str, str], words: str
) -> None:
    rhea, here = person(), browser()
    here.sign_in(rhea)
    before = read(app, rhea.id).password_hash
    given = {"present": rhea.password, "password": NEW, "again": NEW, **fields}
    answer = here.send("/desk/me/password", **given)
    assert answer.status_code == 422
    assert words in html.unescape(answer.get_data(as_text=True))
    assert NEW not in answer.get_data(as_text=True)
    assert read(app, rhea.id).password_hash == before


def test_the_present_password_cannot_be_guessed_inside_a_session(person: People, browser: Browsers) -> None:
    here = browser()
    here.sign_in(person())
    assert [change(here, present=f"guess number {number}") for number in range(11)] == [422] * 10 + [409]


def test_a_fresh_code_is_asked_for_and_passwords_are_not_written_into_that_page(
    app: Flask, person: People, browser: Browsers
) -> None:
    rhea, here = person(), browser()
    here.sign_in(rhea)
    forget_code(app)
    answer = here.send("/desk/me/password", present=rhea.password, password=NEW, again=NEW)
    assert answer.status_code == 403
    assert NEW not in answer.get_data(as_text=True)
    assert rhea.password not in answer.get_data(as_text=True)
    assert change(here, fresh_code=rhea.code()) == 403, "a used code"
    assert change(here, fresh_code=rhea.code(+1)) == 303


def test_a_new_second_factor_replaces_the_old_one(app: Flask, person: People, browser: Browsers) -> None:
    rhea, here, there = person(), browser(), browser()
    there.sign_in(rhea, code=rhea.code(-1))
    here.sign_in(rhea)
    secret, sealed = offered(here.get("/desk/me/second-factor").get_data(as_text=True))
    assert secret != rhea.secret
    assert here.send("/desk/me/second-factor/replace", sealed=sealed, code=rhea.code(+1)).status_code == 422
    done = here.send("/desk/me/second-factor/replace", sealed=sealed, code=pyotp.TOTP(secret).now())
    assert len(codes_in(done.get_data(as_text=True))) == 10
    assert here.is_in()
    assert not there.is_in()
    assert there.sign_in(rhea, code=rhea.code(+1)).location == "/desk/sign-in?again=1"
    rhea.secret = secret
    assert there.sign_in(rhea).location == "/desk/sign-in?again=1", "the code that set it up is used"
    assert there.sign_in(rhea, code=rhea.code(+1)).location == "/desk/"


def test_a_secret_offered_to_somebody_else_or_long_ago_is_not_taken(person: People, browser: Browsers) -> None:
    rhea, omar, hers, his = person(), person("omar"), browser(), browser()
    hers.sign_in(rhea)
    his.sign_in(omar)
    secret, sealed = offered(his.get("/desk/me/second-factor").get_data(as_text=True))
    code = pyotp.TOTP(secret).now()
    assert hers.send("/desk/me/second-factor/replace", sealed=sealed, code=code).status_code == 422
    assert hers.send("/desk/me/second-factor/replace", sealed="nonsense", code=code).status_code == 422


def test_an_offer_lasts_an_hour(app: Flask) -> None:
    from wfr.staff.second_factor import offer_enrolment, open_enrolment  # noqa: PLC0415

    with app.app_context(), time_machine.travel(1_800_000_000, tick=False) as clock:
        offer = offer_enrolment("rhea", "account:1")
        clock.shift(3599)
        assert open_enrolment(offer.sealed, "account:1") == offer.secret
        clock.shift(2)
        assert open_enrolment(offer.sealed, "account:1") is None


def test_each_recovery_code_works_once(app: Flask, person: People, browser: Browsers) -> None:
    rhea, here = person(), browser()
    here.sign_in(rhea)
    codes = codes_in(here.send("/desk/me/recovery-codes").get_data(as_text=True))
    assert len(set(codes)) == 10
    with app.app_context():
        assert not set(codes) & set(db.session.scalars(select(RecoveryCode.digest)))
    assert browser().sign_in(rhea, code=codes[0].upper().replace("-", " ")).location == "/desk/"
    assert browser().sign_in(rhea, code=codes[0]).location == "/desk/sign-in?again=1"
    assert browser().sign_in(rhea, code=codes[1]).location == "/desk/"
    with app.app_context():
        used = db.session.scalars(select(AuditEntry).where(AuditEntry.what == "recovery_code.used")).all()
        assert [entry.after for entry in used] == [{"left": 9}, {"left": 8}]
    here.send("/desk/me/recovery-codes")
    assert browser().sign_in(rhea, code=codes[2]).location == "/desk/sign-in?again=1"


def test_a_recovery_code_is_its_owners_alone(person: People, browser: Browsers) -> None:
    rhea, omar, here = person(), person("omar"), browser()
    here.sign_in(rhea)
    codes = codes_in(here.send("/desk/me/recovery-codes").get_data(as_text=True))
    assert browser().sign_in(omar, code=codes[0]).location == "/desk/sign-in?again=1"


def test_the_others_can_be_signed_out(person: People, browser: Browsers) -> None:
    rhea, here, there = person(), browser(), browser()
    there.sign_in(rhea, code=rhea.code(-1))
    here.sign_in(rhea)
    assert here.get("/desk/me").get_data(as_text=True).count("A browser") == 2
    here.send("/desk/me/sessions")
    assert here.is_in()
    assert not there.is_in()
