"""A member's own page: what she gets, all that is kept of her, and links that can be replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.acting import text_of
from tests.factories import Cast
from tests.linting import LintingClient
from tests.network.members import ANNA, after, ask, everything, join, links_in, mails_to, path_to, the_member
from wfr.cases.models import Case, CaseText
from wfr.extensions import db, transaction, utc_now
from wfr.network.links import LinkFor
from wfr.network.models import Delivery, DeliveryState, Mailing, MailingState, Sort

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """The app's context, for tests that look into the database."""
    with app.app_context():
        yield


def test_a_member_changes_what_she_gets_by_her_link(app: Flask, visitor: LintingClient, season: Cast) -> None:
    case = db.session.query(Case).filter_by(slug=season.tiny).one()
    words = {"headline": "Une", "summary": "Elle", "story": "Elle", "ask": "Elle"}
    db.session.add(CaseText(case_id=case.id, language="fr", **words))
    db.session.commit()
    page = join(app, visitor)
    assert "Français" in text_of(visitor.get(page))
    chosen = {
        "country": "FR",
        "language": "fr",
        "second_language": "en",
        "third_language": "fr",
        "frequency": "at_most",
        "at_most": "8",
        "regions": ["150", "009"],
        "concerns": ["health"],
    }
    assert visitor.post(page, data=chosen).status_code == 303
    anna = the_member()
    assert (anna.country, anna.languages, anna.frequency, anna.at_most) == ("FR", ["fr", "en"], "at_most", 8)
    assert (anna.regions, anna.concerns) == (0b11000, 0b100000000000)
    shown = visitor.get(page).get_data(as_text=True)
    assert '<option value="8" selected>' in shown
    assert shown.count(" checked>") == 4
    refused = visitor.post(page, data={**chosen, "frequency": "never"})
    assert refused.status_code == 422
    assert the_member().frequency == "at_most"


@pytest.mark.usefixtures("season")
def test_her_page_shows_the_address_to_nobody_and_takes_no_link_along(app: Flask, visitor: LintingClient) -> None:
    page = visitor.get(join(app, visitor))
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    html = page.get_data(as_text=True)
    assert "a…@example.org" in html
    assert ANNA not in html
    tokens = [path_to(LinkFor.ME).rpartition("/")[2], path_to(LinkFor.LEAVE).rpartition("/")[2]]
    elsewhere = [part for part in html.split('"') if part.startswith("http")]
    assert not [part for part in elsewhere if any(token in part for token in tokens)]


@pytest.mark.usefixtures("season")
def test_a_form_of_another_site_changes_nothing(app: Flask, visitor: LintingClient) -> None:
    page, before = join(app, visitor), everything()
    for path in (page, f"{page}/unfollow", f"{page}/new-links"):
        assert visitor.post(path, headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert everything() == before


@pytest.mark.usefixtures("season")
def test_new_links_come_by_mail_and_the_old_ones_lead_nowhere_but_out(app: Flask, visitor: LintingClient) -> None:
    old, leave = join(app, visitor), path_to(LinkFor.LEAVE)
    answer = visitor.post(f"{old}/new-links")
    assert answer.headers["Location"] == "/network/check-your-mail?asked=links"
    told = text_of(visitor.get(answer.headers["Location"]))
    assert "the old ones, that of the page you come from too, have ended" in told
    assert "only then does anything begin" not in told
    assert "erased after a week" not in told
    new = links_in(mails_to(app, ANNA)[-1], "me")[0]
    assert visitor.get(old).status_code == 404
    assert visitor.post(old, data={"frequency": "weekly"}).status_code == 404
    assert visitor.get(f"{old}/export").status_code == 404
    assert visitor.post(f"{old}/unfollow").status_code == 404
    assert visitor.get(new).status_code == 200
    # A link to leave stands in mails that were sent long ago, and must hold what it says.
    visitor.post(leave)
    assert visitor.get(new).status_code == 404


@pytest.mark.usefixtures("season")
def test_links_are_replaced_only_where_the_new_ones_can_be_mailed(app: Flask, visitor: LintingClient) -> None:
    page = join(app, visitor)
    for _ in range(5):
        ask(visitor)
    # What strangers type into forms leaves her the links that she needs against them.
    for _ in range(5):
        assert visitor.post(f"{page}/new-links").status_code == 303
        page = links_in(mails_to(app, ANNA)[-1], "me")[0]
    answer = visitor.post(f"{page}/new-links")
    assert answer.status_code == 409
    assert "try tomorrow" in text_of(answer)
    assert visitor.get(page).status_code == 200


@pytest.mark.usefixtures("season")
def test_a_link_is_good_for_one_thing_and_cannot_be_made_up(app: Flask, visitor: LintingClient) -> None:
    join(app, visitor)
    me, leave = (path_to(purpose).rpartition("/")[2] for purpose in (LinkFor.ME, LinkFor.LEAVE))
    for page in (f"/network/me/{leave}", f"/network/confirm/{me}", f"/network/me/{me[:-1]}", "/network/me/1.1.0~x"):
        answer = visitor.get(page)
        assert answer.status_code == 404
        assert "This link leads nowhere now" in text_of(answer)


def test_the_export_is_all_that_is_kept_about_her_and_nobody_else(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    join(app, visitor, "ben@example.org")
    page = join(app, visitor, follow=season.tiny, join="y")
    after(visitor, season.tiny, remind="y")
    anna = the_member()
    with transaction() as session:
        mailing = Mailing(sort=Sort.URGENT, state=MailingState.DONE)
        session.add(mailing)
        session.flush()
        state = {"state": DeliveryState.SENT, "settled_at": utc_now(), "code": 250, "tries": 1}
        session.add(Delivery(mailing_id=mailing.id, member_id=anna.id, language="en", **state))
    before = everything()
    answer = visitor.get(f"{page}/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert everything() == before
    kept = json.loads(answer.data)
    assert kept["member"]["email"] == ANNA
    assert kept["member"]["frequency"] == "at_most"
    assert [follow["case"] for follow in kept["follows"]] == ["Ada Vale"]
    assert [(mail["sort"], mail["state"]) for mail in kept["mailings"]] == [("urgent", "sent")]
    assert len(kept["reminders"]) == 1
    assert [each["mails"] for each in kept["mails_asked_for_in_forms"]] == [1, 1]
    assert "ben@example.org" not in answer.get_data(as_text=True)
    columns = {column.name for column in anna.__table__.columns} - {"id", "left_at"}
    assert len(kept["member"]) == len(columns) - 2, "one list for three languages; a new column belongs in the export"


def test_her_page_says_all_that_is_kept_and_its_form_names_concerns(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    page = text_of(visitor.get(join(app, visitor)))
    assert "a reminder that waits, with its days" in page
    assert "how many mails were asked for by typing your address into a form" in page
    assert "Only some regions or concerns" in page
    assert "Issues" not in page
    for told in (text_of(visitor.get("/network")), text_of(visitor.get("/privacy"))):
        assert "Every mailing can be ended with one click, and nothing more comes." in told
