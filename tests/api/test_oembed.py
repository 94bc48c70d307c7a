"""oEmbed: any address of a case that other sites may show becomes its frame, no larger than asked."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from tests.cases.test_public_pages import forget_everything
from tests.factories import Cast
from tests.linting import LintingClient
from wfr.cases.models import Case, CaseStatus, CaseText
from wfr.extensions import db, transaction
from wfr.share.linking import link_url

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BASE = "http://127.0.0.1:8000"


def ask(visitor: LintingClient, url: str, **more: object) -> TestResponse:
    return visitor.get("/oembed", query_string={"url": url, **more})


def test_each_address_of_a_case_becomes_its_frame(visitor: LintingClient, season: Cast) -> None:
    case = f"{BASE}/cases/{season.tiny}"
    for url in (case, f"{case}/share", f"{case}?utm_source=x#top", f"{BASE}/embed/{season.tiny}"):
        check_frame(visitor, url, season.tiny)


def check_frame(visitor: LintingClient, url: str, slug: str) -> None:
    answer = ask(visitor, url)
    found = answer.get_json()
    assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert (found["version"], found["type"]) == ("1.0", "rich")
    assert found["title"] == "Ada Vale: Held for a poem about a river"
    assert (found["provider_name"], found["provider_url"]) == ("Write for Rights", BASE)
    assert f'<iframe src="{BASE}/embed/{slug}"' in found["html"]
    assert (found["width"], found["height"]) == (400, 520)
    assert (found["thumbnail_width"], found["thumbnail_height"]) == (1200, 630)
    assert found["thumbnail_url"].startswith(BASE) and found["thumbnail_url"].endswith(".png")


def test_a_share_link_becomes_the_frame_of_its_case(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context():
        case = db.session.scalars(select(Case).where(Case.slug == season.long)).one()
        links = [link_url(case, "bluesky"), link_url(case, "x", 12345)]
    for link in links:
        assert f"/embed/{season.long}" in ask(visitor, link).get_json()["html"]


ELSEWHERE = (
    "",
    "nonsense",
    "http://[",
    f"{BASE}/",
    f"{BASE}/cases/nobody",
    f"{BASE}/cases/ada-vale/letter",
    f"{BASE}/s/0123456789",
    "https://elsewhere.example.org/cases/ada-vale",
    "https://127.0.0.1:8000/cases/ada-vale",
    f"{BASE}@elsewhere.example.org/cases/ada-vale",
    f"{BASE}.example.org/cases/ada-vale",
)


def test_no_other_address_becomes_anything(visitor: LintingClient, season: Cast) -> None:
    assert {url: ask(visitor, url).status_code for url in ELSEWHERE} == dict.fromkeys(ELSEWHERE, 404)


LIMITS: tuple[tuple[dict[str, object], tuple[int, int], bool], ...] = (
    ({"maxwidth": 300}, (300, 520), False),
    ({"maxheight": 260, "maxwidth": 600}, (400, 260), False),
    ({"maxwidth": 1600, "maxheight": 900}, (400, 520), True),
    ({"maxwidth": "wide", "maxheight": 0}, (400, 520), True),
)


def test_nothing_is_larger_than_asked(visitor: LintingClient, season: Cast) -> None:
    for limits, (width, height), thumbnail in LIMITS:
        found = ask(visitor, f"{BASE}/cases/{season.tiny}", **limits).get_json()
        assert (found["width"], found["height"]) == (width, height)
        assert f'width="{width}" height="{height}"' in found["html"]
        assert ("thumbnail_url" in found) == thumbnail


def test_xml_says_the_same_and_other_formats_are_not_known(visitor: LintingClient, season: Cast) -> None:
    url = f"{BASE}/cases/{season.long}"
    answer = ask(visitor, url, format="xml")
    assert answer.content_type == "text/xml; charset=utf-8"
    root = ET.fromstring(answer.data)  # noqa: S314 -- our own
    assert {part.tag: part.text for part in root} == {
        name: str(value) for name, value in ask(visitor, url, format="json").get_json().items()
    }
    assert ask(visitor, url, format="yaml").status_code == 501


def test_the_title_has_no_source(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context(), transaction() as session:
        session.query(CaseText).update({"headline": "Held for a poem [Z1]"})
    assert ask(visitor, f"{BASE}/cases/{season.tiny}").get_json()["title"] == "Ada Vale: Held for a poem"


def test_a_name_with_signs_is_still_a_name(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Case).where(Case.slug == season.tiny).values(name='A "B" <C> & D'))
    found = ask(visitor, f"{BASE}/cases/{season.tiny}").get_json()
    assert found["title"].startswith('A "B" <C> & D:')
    assert re.search(r'title="A &#34;B&#34; &lt;C&gt; &amp; D"', found["html"])


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"feeds": False}, 404),
        ({"status": CaseStatus.PAUSED}, 404),
        ({"status": CaseStatus.WITHDRAWN}, 410),
    ],
)
def test_a_case_that_others_may_not_show_is_not_named(
    app: Flask, visitor: LintingClient, season: Cast, values: dict[str, object], status: int
) -> None:
    url = f"{BASE}/cases/{season.tiny}"
    assert ask(visitor, url).status_code == 200
    with app.app_context(), transaction() as session:
        session.execute(update(Case).where(Case.slug == season.tiny).values(**values))
    forget_everything(app)
    answer = ask(visitor, url)
    assert answer.status_code == status and "Ada" not in answer.get_data(as_text=True)
