"""What networks and search engines read of a page: complete, once, and never more than somebody agreed to."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.acting import act, ticket_in
from tests.conftest import close_database, make_settings
from tests.drives.driving import code_for, make_drive
from tests.factories import Cast, make_season
from tests.linting import LintingClient
from tests.network.urgent import issue, make_people, make_urgent
from tests.test_architecture import ROUTES
from wfr import create_app
from wfr.cases.models import Case, CaseStatus, CaseText
from wfr.cases.queries import shelf
from wfr.drives.links import LinkFor, link_token
from wfr.extensions import db, transaction
from wfr.share.linking import link_url
from wfr.share.previews import DESCRIPTION_LENGTH, LISTED, description_of, general_description, locale_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BASE = "http://127.0.0.1:8000"
CASE = "/cases/ada-vale"
ALWAYS = {
    "description",
    "og:title",
    "og:description",
    "og:type",
    "og:site_name",
    "og:locale",
    "og:image",
    "og:image:type",
    "og:image:width",
    "og:image:height",
    "og:image:alt",
    "twitter:card",
    "twitter:title",
    "twitter:description",
    "twitter:image",
    "twitter:image:alt",
}
HOSTILE = '"><script>alert(1)</script> & </title> Ada'


class Head:
    """The head of a page, read as a program reads it."""

    def __init__(self, page: TestResponse) -> None:
        namespace = "{http://www.w3.org/1999/xhtml}"
        root = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree")).parse(page.get_data(as_text=True))
        head = root.find(f"{namespace}head")
        assert isinstance(head, ET.Element)
        self.title = head.findtext(f"{namespace}title") or ""
        self.said: dict[str, list[str]] = defaultdict(list)
        for meta in head.iter(f"{namespace}meta"):
            self.said[meta.get("property") or meta.get("name") or ""].append(meta.get("content") or "")
        self.links: dict[str, list[str]] = defaultdict(list)
        for link in head.iter(f"{namespace}link"):
            self.links[link.get("type") if link.get("rel") == "alternate" else link.get("rel") or ""].append(
                link.get("href") or ""
            )
        self.schema = [json.loads(script.text or "") for script in head.iter(f"{namespace}script")]

    def __getitem__(self, name: str) -> str:
        (value,) = self.said[name]
        return value

    @property
    def is_listed(self) -> bool:
        return "robots" not in self.said

    def facts(self, kind: str) -> dict[str, Any]:
        """Return the only thing of one kind that the page states."""
        ((fact,),) = [[fact for fact in document["@graph"] if fact["@type"] == kind] for document in self.schema]
        return dict(fact)


def head_of(visitor: LintingClient, path: str) -> Head:
    page = visitor.get(path)
    assert page.status_code == 200, path
    return Head(page)


def assert_complete(head: Head, path: str) -> None:
    """Every page says all that a preview shows, each once."""
    assert {name for name in ALWAYS if len(head.said[name]) != 1 or not head[name]} == set(), path
    assert head["description"] == head["og:description"] == head["twitter:description"]
    assert len(head["description"]) <= DESCRIPTION_LENGTH
    assert head["og:title"] == head["twitter:title"] == head.title.removesuffix(" – Write for Rights")
    assert head["twitter:card"] == "summary_large_image"
    assert head["og:locale"] == "en_GB" and head["og:site_name"] == "Write for Rights"
    assert head["og:image"] == head["twitter:image"] and head["og:image"].startswith(f"{BASE}/")
    assert [head[f"og:image:{name}"] for name in ("width", "height", "type")] == ["1200", "630", "image/png"]
    assert head["og:image:alt"] == head["twitter:image:alt"]
    assert head.links["application/atom+xml"][0] == "/feed.atom"


def assert_unlisted(head: Head, path: str) -> None:
    """A page whose address is somebody's own says what the site is, and claims no address."""
    assert_complete(head, path)
    assert head["robots"] == "noindex"
    assert head.links["canonical"] == head.said["og:url"] == head.schema == [], path


def test_every_page_with_one_address_is_complete_and_the_others_ask_not_to_be_listed(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    assert set(ROUTES) >= LISTED
    with app.app_context():
        people = make_people()
        make_urgent(people, "lena-brook", "Lena Brook")
        issue(people.reviewer, "lena-brook")
    pages = {rule: rule for rule, methods in ROUTES.items() if "GET" in methods and "<" not in rule and rule != "/live"}
    for rule in LISTED - set(pages):
        slug = "lena-brook" if rule.startswith("/urgent-actions") else season.tiny
        path, _, kind = rule.replace("<slug>", slug).partition("<any")
        pages[rule] = path + ("letter" if kind else "")
    seen = set()
    for rule, path in pages.items():
        page = visitor.get(path)
        if page.mimetype != "text/html" or not page.data.lstrip().startswith(b"<!doctype"):
            page.close()
            continue
        assert page.status_code == 200, path
        head = Head(page)
        if rule in LISTED:
            seen.add(rule)
            assert_complete(head, path)
            assert head.links["canonical"] == head.said["og:url"] == [f"{BASE}{path}"]
            assert head.is_listed
        else:
            assert_unlisted(head, path)
    assert seen == LISTED


def test_pages_with_a_token_or_a_code_have_no_address_to_pass_on(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    with app.app_context():
        drive = make_drive(season)
        code, token, slug = code_for(drive), link_token(drive, LinkFor.MANAGE), drive.slug
    thanks = act(visitor, season.tiny)
    assert_unlisted(Head(thanks), "thanks")
    own = (f"/posted/{ticket_in(thanks)}", f"/schools/manage/{token}", f"/join/{code}", f"/join/{code}/ada-vale/letter")
    for path in (*own, f"/schools/{slug}/wall"):
        page = visitor.get(path)
        assert page.status_code == 200, path
        if "og:title" not in page.get_data(as_text=True):
            assert '<meta name="robots" content="noindex">' in page.get_data(as_text=True), path
            continue
        head = Head(page)
        assert_unlisted(head, path)
        with app.app_context():
            assert head["description"] == general_description()
        assert head["og:image"] == head_of(visitor, "/")["og:image"]


def test_a_share_link_shows_its_case_and_no_other_address(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context():
        path = link_url(shelf().case(season.tiny), "facebook").removeprefix(BASE)
    head, case = head_of(visitor, path), head_of(visitor, CASE)
    assert_unlisted(head, path)
    assert [head[name] for name in ("og:title", "description", "og:image")] == [
        case[name] for name in ("og:title", "description", "og:image")
    ]


def test_a_case_is_described_without_its_sources(visitor: LintingClient, season: Cast) -> None:
    head = head_of(visitor, CASE)
    assert head["og:title"] == "Ada Vale" and head["og:type"] == "article"
    assert head["description"] == "She wrote a poem. She was taken the next day."
    article = head.facts("Article")
    assert article["headline"] == "Held for a poem about a river"
    assert article["about"] == {"@type": "Thing", "name": "Ada Vale"}
    assert article["image"] == head["og:image"] and article["url"] == f"{BASE}{CASE}"
    assert "datePublished" not in article
    crumbs = head.facts("BreadcrumbList")["itemListElement"]
    assert [crumb["item"] for crumb in crumbs] == [f"{BASE}/", f"{BASE}{CASE}"]


def test_a_headline_has_no_source(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context(), transaction() as session:
        session.query(CaseText).update({"headline": "Held for a poem [Z1]"})
    assert head_of(visitor, CASE).facts("Article")["headline"] == "Held for a poem"


def test_a_description_is_cut_at_a_word(app: Flask) -> None:
    words = description_of(CaseText(summary="She wrote poems [Z1] about rivers.\n\n" * 20))
    assert len(words) <= DESCRIPTION_LENGTH and words.startswith("She wrote poems about rivers. She")
    assert words.endswith("…") and words[:-1] + " " in "She wrote poems about rivers. " * 20


def change(app: Flask, **values: Any) -> None:
    with app.app_context():
        with transaction() as session:
            case = session.query(Case).filter(Case.slug == "ada-vale").one()
            for name, value in values.items():
                setattr(case, name, value)
        for name in ("shelf", "board"):
            app.extensions["wfr.kept"].forget(name)
    app.extensions["wfr.page_cache"].forget()


@pytest.mark.parametrize("changes", [{"feeds": False}, {"status": CaseStatus.PAUSED}], ids=["no consent", "paused"])
def test_what_others_may_not_be_shown_is_not_in_the_head(
    app: Flask, visitor: LintingClient, season: Cast, changes: dict[str, Any]
) -> None:
    change(app, **changes)
    head = head_of(visitor, CASE)
    assert head["og:title"] == head["twitter:title"] == "Write for Rights"
    assert head.title == "Ada Vale – Write for Rights"
    with app.app_context():
        assert head["description"] == general_description()
    assert head["og:image"] == head_of(visitor, "/")["og:image"]
    assert head["og:type"] == "website" and head.schema == [] and head.links["application/json+oembed"] == []


def test_a_withdrawn_cases_addresses_name_nobody_and_ask_not_to_be_listed(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    with app.app_context():
        link = link_url(shelf().case(season.tiny), "x").removeprefix(BASE)
    change(app, status=CaseStatus.WITHDRAWN)
    for path in (CASE, f"{CASE}/letter", link, "/nowhere"):
        page = visitor.get(path)
        assert page.status_code == (404 if path == "/nowhere" else 410)
        head = Head(page)
        assert head["robots"] == "noindex" and "Ada" not in page.get_data(as_text=True)
        assert head.links["canonical"] == [] and head.schema == []


def test_hostile_words_stay_words(app: Flask, visitor: LintingClient, season: Cast) -> None:
    change(app, name=HOSTILE)
    with app.app_context():
        with transaction() as session:
            text = session.query(CaseText).join(Case).filter(Case.slug == "ada-vale").one()
            text.summary = text.headline = HOSTILE
        app.extensions["wfr.kept"].forget("shelf")
    app.extensions["wfr.page_cache"].forget()
    page = visitor.get(CASE)
    head = Head(page)
    assert "<script>alert" not in page.get_data(as_text=True)
    assert head["og:title"] == head["description"] == head.facts("Article")["headline"] == HOSTILE
    assert_complete(head, CASE)


def test_the_home_page_says_whose_season_runs_when(tmp_path: Path, app: Flask, visitor: LintingClient) -> None:
    assert [fact["@type"] for fact in head_of(visitor, "/").schema[0]["@graph"]] == ["WebSite"]
    other = create_app(make_settings(tmp_path, app.config["SQLALCHEMY_DATABASE_URI"], WFR_ORGANISATION="The Poets"))
    with other.app_context():
        season = make_season().season
        opens, closes = season.opens.isoformat(), season.closes.isoformat()
    head = Head(other.test_client().get("/"))
    close_database(other)
    poets = {"@type": "Organization", "name": "The Poets", "url": f"{BASE}/"}
    assert head.facts("WebSite")["publisher"] == head.facts("Event")["organizer"] == poets
    assert (head.facts("Event")["startDate"], head.facts("Event")["endDate"]) == (opens, closes)


def test_the_page_of_stories_lists_them(visitor: LintingClient, season: Cast) -> None:
    (story,) = head_of(visitor, "/stories").facts("ItemList")["itemListElement"]
    assert story["name"] == "Nadia Reed" and story["url"] == f"{BASE}/stories#out"


def test_a_case_says_where_its_embed_is_asked_for(visitor: LintingClient, season: Cast) -> None:
    head = head_of(visitor, CASE)
    (as_json,), (as_xml,) = head.links["application/json+oembed"], head.links["text/xml+oembed"]
    assert as_json.startswith(f"{BASE}/oembed?url=") and as_xml.endswith("format=xml")
    answer = visitor.get(as_json.removeprefix(BASE))
    assert answer.status_code == 200 and "Ada Vale" in answer.get_json()["title"]


def test_a_language_has_a_territory_as_open_graph_writes_it(app: Flask) -> None:
    tags = ("en", "pt-BR", "es", "ar", "zh-Hant")
    assert [locale_of(tag) for tag in tags] == ["en_GB", "pt_BR", "es_ES", "ar_EG", "zh_CN"]


def test_what_a_page_says_needs_no_database_that_never_answered(tmp_path: Path, database_url: str) -> None:
    app = create_app(make_settings(tmp_path, f"sqlite:///{tmp_path}/nowhere/at/all.db"))
    page = app.test_client().get("/privacy")
    with app.app_context():
        db.engine.dispose()
    assert page.status_code == 200
    assert "og:title" in page.get_data(as_text=True) and "og:image" not in page.get_data(as_text=True)
