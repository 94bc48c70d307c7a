"""Private links: what each is good for, when it ends, and that nobody learns anything without one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from tests.acting import text_of
from tests.drives.driving import TEACHER, make_drive
from tests.drives.post import links_in, mails
from tests.factories import Cast
from tests.linting import LintingClient
from wfr.drives.links import LinkFor, drive_of_link, link_token
from wfr.drives.managing import replace_links
from wfr.drives.models import Drive
from wfr.errors import NoSuchThing
from wfr.extensions import db

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

GONE = "This link leads nowhere now"


@pytest.fixture
def drive(app: Flask, season: Cast) -> Drive:
    """A confirmed drive."""
    with app.app_context():
        return make_drive(season)


@pytest.fixture
def token(app: Flask, drive: Drive) -> Callable[[LinkFor], str]:
    """Return a function that makes a link of the drive."""

    def make(purpose: LinkFor) -> str:
        with app.app_context():
            return link_token(drive, purpose)

    return make


def test_a_link_is_good_for_one_thing(app: Flask, drive: Drive, token: Callable[[LinkFor], str]) -> None:
    with app.app_context():
        for made in LinkFor:
            for used in LinkFor:
                if made is used:
                    assert drive_of_link(db.session, token(made), used).id == drive.id
                else:
                    with pytest.raises(NoSuchThing):
                        drive_of_link(db.session, token(made), used)


@pytest.mark.parametrize("page", ["confirm", "manage", "report"])
@pytest.mark.parametrize(
    "forge", [lambda t: t[:-1], lambda t: "x" + t, lambda t: t.replace(".1~", ".2~"), lambda t: "é~~"]
)
def test_a_forged_link_leads_to_a_page_with_a_way_out(
    visitor: LintingClient, token: Callable[[LinkFor], str], page: str, forge: Callable[[str], str]
) -> None:
    answer = visitor.get(f"/schools/{page}/{forge(token(LinkFor(page)))}")
    assert answer.status_code == 404
    assert GONE in text_of(answer) and 'href="/schools/links"' in answer.text
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_replaced_link_opens_nothing_and_changes_nothing(
    app: Flask, visitor: LintingClient, drive: Drive, token: Callable[[LinkFor], str]
) -> None:
    manage, report = token(LinkFor.MANAGE), token(LinkFor.REPORT)
    with app.app_context():
        replace_links(token=manage)
    for path in ("", "/plan", "/slip.pdf", "/parcel-label.pdf", "/certificate.pdf", "/petition/ada-vale.pdf"):
        assert visitor.get(f"/schools/manage/{manage}{path}").status_code == 404
    for verb in ("plan", "pause", "resume", "new-code", "new-links", "close", "forget", "report"):
        assert visitor.post(f"/schools/manage/{manage}/{verb}").status_code == 404
    assert visitor.get(f"/schools/report/{report}").status_code == 404
    with app.app_context():
        now = db.session.get_one(Drive, drive.id)
        assert now.closed_at is None and now.email == TEACHER


def test_the_confirming_link_ends_after_a_week_and_the_managing_link_does_not(
    visitor: LintingClient, token: Callable[[LinkFor], str]
) -> None:
    confirm, manage = token(LinkFor.CONFIRM), token(LinkFor.MANAGE)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8), tick=True):
        assert visitor.get(f"/schools/confirm/{confirm}").status_code == 404
        assert visitor.post(f"/schools/confirm/{confirm}").status_code == 404
        assert visitor.get(f"/schools/manage/{manage}").status_code == 200


def test_known_and_unknown_addresses_get_the_same_answer_and_a_mail_each(
    app: Flask, visitor: LintingClient, drive: Drive
) -> None:
    answers = [visitor.post("/schools/links", data={"email": who}) for who in (TEACHER, "stranger@example.org")]
    assert [(a.status_code, a.headers["Location"], a.data) for a in answers] == [
        (303, "/schools/check-your-mail", answers[0].data)
    ] * 2
    known, unknown = mails(app)
    assert known["To"] == TEACHER and links_in(known, "manage")
    assert unknown["To"] == "stranger@example.org" and not links_in(unknown, "manage")
    assert drive.name not in unknown.get_content()


def test_the_mailed_link_is_the_one_that_works(app: Flask, visitor: LintingClient, drive: Drive) -> None:
    visitor.post("/schools/links", data={"email": TEACHER.upper()})
    (mail,) = mails(app)
    assert drive.name in text_of(visitor.get(links_in(mail, "manage")[0]))


@pytest.mark.parametrize("typed", ["a@example.org\r\nBcc: b@example.org", "a@example.org,b@example.org", "", "nobody"])
def test_what_is_no_address_is_never_written_to(app: Flask, visitor: LintingClient, season: Cast, typed: str) -> None:
    answer = visitor.post("/schools/links", data={"email": typed})
    assert answer.status_code == 422 and "Give an e-mail address" in text_of(answer)
    assert mails(app) == []


def test_one_address_is_not_flooded_whoever_asks(app: Flask, visitor: LintingClient, drive: Drive) -> None:
    for who in (TEACHER, "stranger@example.org"):
        answers = [visitor.post("/schools/links", data={"email": who}) for _ in range(8)]
        assert [answer.status_code for answer in answers] == [303] * 6 + [429] * 2
        assert f'value="{who}"' in answers[-1].text
    assert len(mails(app)) == 12


def test_no_private_link_reaches_the_log(
    app: Flask, visitor: LintingClient, token: Callable[[LinkFor], str], caplog: pytest.LogCaptureFixture
) -> None:
    manage = token(LinkFor.MANAGE)
    with app.app_context():
        db.session.execute(db.text("ALTER TABLE drive_reports RENAME TO elsewhere"))
        db.session.commit()
    with caplog.at_level(logging.DEBUG):
        assert visitor.get(f"/schools/manage/{manage}").status_code == 503
    assert "/schools/manage/<token>" in caplog.text
    assert manage not in caplog.text and manage.rpartition("~")[2] not in caplog.text


def test_private_pages_tell_no_other_site_and_are_kept_by_nobody(
    visitor: LintingClient, token: Callable[[LinkFor], str]
) -> None:
    for page in LinkFor:
        answer = visitor.get(f"/schools/{page.value}/{token(page)}")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert 'content="noindex"' in answer.text
