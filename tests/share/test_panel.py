"""The panel of share links: on a page of its own and after an action, with and without JavaScript, and where not."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from tests.acting import act, text_of
from tests.factories import Cast
from tests.linting import LintingClient
from wfr.cases.models import Case, CaseStatus, CaseText, Season
from wfr.cases.queries import today
from wfr.extensions import db, kept
from wfr.share.codes import EVERYBODY, ShareCode, read_code
from wfr.share.linking import read_private_token

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HTMX = {"HX-Request": "true"}


def links_in(answer: TestResponse) -> dict[str, str]:
    """Return the address of each channel that has one."""
    found = re.findall(r'data-channel="(\w+)"[^>]*? href="([^"]+)"', answer.get_data(as_text=True))
    return {channel: html.unescape(address) for channel, address in found}


def query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query.lstrip("&")))


def codes_in(app: Flask, answer: TestResponse) -> list[ShareCode]:
    """Return what each share link of a page says; links stand encoded in the addresses of networks."""
    with app.app_context():
        found = re.findall(r"(?:/|%2F)s(?:/|%2F)([0-9a-z]{10,18})", answer.get_data(as_text=True))
        return [read_code(code) for code in dict.fromkeys(found)]


def own_token(page: str) -> str:
    found = re.search(r'name="private" value="([^"]+)"', page)
    assert found
    return found[1]


def change(app: Flask, slug: str, **columns: Any) -> None:
    with app.app_context():
        db.session.execute(update(Case).where(Case.slug == slug).values(**columns))
        db.session.commit()
        kept().forget("shelf")
        app.extensions["wfr.page_cache"].forget()


def test_the_page_is_everybodys_and_each_channel_has_its_own_link(
    app: Flask, season: Cast, visitor: LintingClient
) -> None:
    answer = visitor.get(f"/cases/{season.tiny}/share")
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-cache"
    assert answer.data == visitor.get(f"/cases/{season.tiny}/share").data
    codes = codes_in(app, answer)
    assert {code.sharer for code in codes} == {EVERYBODY}
    assert len({code.channel for code in codes}) == len(codes) == 13
    links = links_in(answer)
    assert query(links["x"])["text"] == "Ada Vale: Held for a poem about a river"
    assert links["mastodon"] == "#share-mastodon"
    assert 'rel="noopener noreferrer"' in answer.get_data(as_text=True)


def test_the_case_leads_to_it_quietly(app: Flask, season: Cast, visitor: LintingClient) -> None:
    assert "Share this case" in text_of(visitor.get(f"/cases/{season.tiny}"))
    change(app, season.tiny, feeds=False)
    assert "Share this case" not in text_of(visitor.get(f"/cases/{season.tiny}"))


def test_staff_words_stand_in_the_language_of_the_page_and_per_channel(
    app: Flask, season: Cast, visitor: LintingClient
) -> None:
    with app.app_context():
        db.session.execute(update(CaseText).values(share={"any": "Write & <sign>", "x": "Now! 100%"}))
        db.session.commit()
        kept().forget("shelf")
        app.extensions["wfr.page_cache"].forget()
    links = links_in(visitor.get(f"/cases/{season.tiny}/share"))
    assert query(links["x"])["text"] == "Now! 100%"
    assert query(links["telegram"])["text"] == "Write & <sign>"
    # Sent along untouched, they are nobody's own words.
    links = links_in(visitor.post(f"/cases/{season.tiny}/share", data={"words": "Write &\r\n<sign>"}, headers=HTMX))
    assert query(links["x"])["text"] == "Now! 100%"


def test_after_an_action_each_visitor_has_links_of_their_own(app: Flask, season: Cast, visitor: LintingClient) -> None:
    answers = [act(visitor, season.tiny, kind) for kind in ("letter", "email", "post")]
    sharers = [{code.sharer for code in codes_in(app, answer)} for answer in answers]
    assert all(len(own) == 1 for own in sharers) and len(set.union(*sharers)) == 3
    assert EVERYBODY not in set.union(*sharers)
    page = answers[0].get_data(as_text=True)
    with app.app_context():
        case_id, sharer = read_private_token(own_token(page))
    assert {sharer} == sharers[0] and case_id == codes_in(app, answers[0])[0].case_id
    assert f'data-private="/shared/{own_token(page)}"' in page
    assert "share-goes-here" not in page


def test_a_visitors_words_go_into_every_link_and_the_links_stay_their_own(
    app: Flask, season: Cast, visitor: LintingClient
) -> None:
    thanks = act(visitor, season.tiny)
    words = 'Please, friends: "write" & ask @everybody #now\n🕊️'
    data = {"words": words.replace("\n", "\r\n"), "private": own_token(thanks.get_data(as_text=True))}
    for headers in ({}, HTMX):
        answer = visitor.post(f"/cases/{season.tiny}/share", data=data, headers=headers)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        assert codes_in(app, answer) == codes_in(app, thanks)
        assert query(links_in(answer)["x"])["text"] == words.replace("@", "@\u2060")
        assert answer.data.lstrip().startswith(b"<div" if headers else b"<!doctype")
    whole = visitor.post(f"/cases/{season.tiny}/share", data=data).get_data(as_text=True)
    assert "data-private" in whole and 'share-edit" open' in whole


@pytest.mark.parametrize("private", ["", "7.12~forged", "nonsense"])
def test_a_bad_sharer_falls_back_to_everybodys(app: Flask, season: Cast, visitor: LintingClient, private: str) -> None:
    answer = visitor.post(f"/cases/{season.tiny}/share", data={"words": "Hi", "private": private})
    assert {code.sharer for code in codes_in(app, answer)} == {EVERYBODY}


def test_a_sharer_of_another_case_is_not_taken_over(app: Flask, season: Cast, visitor: LintingClient) -> None:
    private = own_token(act(visitor, season.tiny).get_data(as_text=True))
    answer = visitor.post(f"/cases/{season.silent}/share", data={"private": private})
    assert {code.sharer for code in codes_in(app, answer)} == {EVERYBODY}


def test_words_too_long_for_a_network_are_cut_there_and_it_is_said(season: Cast, visitor: LintingClient) -> None:
    answer = visitor.post(f"/cases/{season.tiny}/share", data={"words": "Write now. " * 27 + "End"}, headers=HTMX)
    links = links_in(answer)
    assert query(links["x"])["text"].endswith("…") and query(links["telegram"])["text"].endswith("End")
    assert "44 too many" in text_of(answer) and "324 of 500" in text_of(answer)
    assert "Too long for X, Bluesky: there the end is left out." in text_of(answer)


@pytest.mark.parametrize(
    ("words", "problem"),
    [("a" * 1001, "Your words can have at most 1000 characters"), ("my \ue000 logo", "Remove the symbol")],
)
def test_words_that_cannot_be_taken_are_shown_again_and_the_links_keep_ours(
    season: Cast, visitor: LintingClient, words: str, problem: str
) -> None:
    answer = visitor.post(f"/cases/{season.tiny}/share", data={"words": words})
    assert answer.status_code == 422
    assert problem in text_of(answer) and words in answer.get_data(as_text=True)
    page = answer.get_data(as_text=True)
    assert "data-focus" in page and '<a href="#share-words">' in page
    assert 'aria-describedby="share-words-hint share-words-problem"' in page and 'id="share-words-problem"' in page
    assert query(links_in(answer)["x"])["text"].startswith("Ada Vale:")
    assert problem in text_of(visitor.post(f"/cases/{season.tiny}/share", data={"words": words}, headers=HTMX))


@pytest.mark.parametrize(
    "server", ["mastodon.example", " HTTPS://Mastodon.Example/@ada ", "@ada@mastodon.example", "ada@mastodon.example"]
)
def test_without_javascript_mastodon_is_a_link_to_the_visitors_server(
    season: Cast, visitor: LintingClient, server: str
) -> None:
    answer = visitor.post(f"/cases/{season.tiny}/share", data={"server": server, "words": "Write & tell"})
    address = links_in(answer)["mastodon"]
    assert address.startswith("https://mastodon.example/share?text=")
    assert query(address)["text"].startswith("Write & tell http://")
    assert "Share on mastodon.example" in text_of(answer)
    assert re.search(r">Mastodon<span[^>]*data-in-new-tab> \(opens in a new tab\)", answer.get_data(as_text=True))


@pytest.mark.parametrize("server", ["evil.example:99", "a b.example", "1.2.3.4", "localhost", "e.example?x=", "ada@"])
def test_a_mastodon_server_is_a_plain_host_and_nothing_else(season: Cast, visitor: LintingClient, server: str) -> None:
    answer = visitor.post(f"/cases/{season.tiny}/share", data={"server": server})
    assert answer.status_code == 422
    assert links_in(answer)["mastodon"] == "#share-mastodon"
    assert "Type the name of your server" in text_of(answer)
    assert '<a href="#share-server">' in answer.get_data(as_text=True)


def test_a_server_in_another_script_stands_in_its_ascii_form(season: Cast, visitor: LintingClient) -> None:
    answer = visitor.post(f"/cases/{season.tiny}/share", data={"server": "мастодон.example"})
    assert links_in(answer)["mastodon"].startswith("https://xn--80aiwgdbsi.example/share?")


def test_a_case_whose_consent_leaves_out_other_sites_is_not_shared(
    app: Flask, season: Cast, visitor: LintingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(app, season.tiny, feeds=False)
    monkeypatch.setattr("wfr.share.views.new_sharer", lambda: pytest.fail("signed links that have no place"))
    for answer in (visitor.get(f"/cases/{season.tiny}/share"), visitor.post(f"/cases/{season.tiny}/share")):
        assert answer.status_code == 410 and "Not this way" in text_of(answer)
        assert links_in(answer) == {}
    thanks = act(visitor, season.tiny)
    assert thanks.status_code == 200 and "Bring one more" not in text_of(thanks)
    assert "share-goes-here" not in thanks.get_data(as_text=True) and links_in(thanks) == {}


@pytest.mark.parametrize("status", [CaseStatus.PAUSED, CaseStatus.CLOSED, CaseStatus.WITHDRAWN])
def test_a_case_that_is_not_open_is_not_shared(
    app: Flask, season: Cast, visitor: LintingClient, status: CaseStatus
) -> None:
    change(app, season.tiny, status=status)
    answer = visitor.get(f"/cases/{season.tiny}/share")
    assert answer.status_code == 410
    assert ("Ada Vale" in text_of(answer)) == (status != CaseStatus.WITHDRAWN)


def test_a_case_can_be_shared_before_the_season_and_not_after_its_deadline(
    app: Flask, season: Cast, visitor: LintingClient
) -> None:
    with app.app_context():
        db.session.execute(update(Season).values(opens=today() + timedelta(days=3)))
        db.session.commit()
    assert visitor.get(f"/cases/{season.long}/share").status_code == 200
    with app.app_context():
        db.session.execute(update(Season).values(opens=today() - timedelta(days=9)))
        db.session.commit()
    change(app, season.tiny, deadline=today() - timedelta(days=1))
    assert visitor.get(f"/cases/{season.tiny}/share").status_code == 410


def test_an_unknown_case_has_no_panel(visitor: LintingClient) -> None:
    assert visitor.get("/cases/nobody/share").status_code == 404


def test_the_privacy_page_tells_of_the_server_that_a_browser_remembers(visitor: LintingClient) -> None:
    words = text_of(visitor.get("/privacy"))
    assert "your browser may remember the name of your server" in words and "nobody learns" not in words
