"""Open pages learn that a case was withdrawn or paused, without a reload and without a slip of the pen."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import update

from benchmarks.stage import wait_until
from tests.conftest import close_database, make_settings
from tests.programs import Server
from wfr import create_app
from wfr.cases.models import Case, CaseStatus
from wfr.extensions import transaction

pytestmark = pytest.mark.browser

Someone = Callable[..., Page]

SLUG, NAME = "idris-khattak", "Idris Khattak"
SOON = 6_000
"""Milliseconds."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A demonstration of these tests' own, whose cases may be withdrawn."""
    server = Server(tmp_path_factory.mktemp("standing"), WFR_DEMO="1", WFR_LIMIT_PLEDGES_WITHOUT_PROOF="1000 per hour")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def desk(server: Server, tmp_path: Path) -> Iterator[Flask]:
    """The same database, as the program sees it; the case is open again afterwards."""
    app = create_app(make_settings(tmp_path, f"sqlite:///{server.folder}/wfr.db"))
    yield app
    set_status(app, CaseStatus.PUBLISHED)
    assert wait_until(lambda: all(is_open(server, path) for path in (f"/cases/{SLUG}", f"/cases/{SLUG}/letter")), 10)
    close_database(app)


def is_open(server: Server, path: str) -> bool:
    try:
        with urllib.request.urlopen(server.url + path) as answer:  # noqa: S310 -- our own
            return b'data-standing="open"' in answer.read()
    except urllib.error.HTTPError:
        return False


def set_status(desk: Flask, status: CaseStatus) -> None:
    with desk.app_context(), transaction() as session:
        session.execute(update(Case).where(Case.slug == SLUG).values(status=status))


def test_a_withdrawn_case_leaves_the_pages_that_are_open(someone: Someone, desk: Flask) -> None:
    home, case, writing = someone("/"), someone(f"/cases/{SLUG}"), someone(f"/cases/{SLUG}/letter")
    next_to_it = someone("/several")
    writing.get_by_label("Your name").fill("Ana Ribeiro")
    expect(writing.locator("#sheet")).to_contain_text("Ana Ribeiro")
    for page in (home, next_to_it):
        expect(page.locator(f'.stamp[data-slug="{SLUG}"]')).to_have_count(1)
    set_status(desk, CaseStatus.WITHDRAWN)
    for page in (case, writing):
        expect(page.get_by_role("heading", level=1)).to_have_text("This case is no longer here", timeout=SOON)
        assert NAME not in page.locator("body").inner_text() and NAME not in page.title()
        assert page.title().startswith("This case is no longer here")
        assert page.evaluate("document.activeElement.id") == "main"
        assert page.locator("#live").count() == 0
    for page in (home, next_to_it):
        expect(page.locator(f'.stamp[data-slug="{SLUG}"]')).to_have_count(0, timeout=SOON)
        assert NAME not in page.locator("main").inner_text()


def test_the_thank_you_page_stops_naming_too(someone: Someone, desk: Flask) -> None:
    visitor = someone(f"/cases/{SLUG}/email")
    visitor.get_by_label("The country you write from").select_option("PT")
    visitor.get_by_role("button", name="Pledge").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Pledged")
    set_status(desk, CaseStatus.WITHDRAWN)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("This case is no longer here", timeout=SOON)
    assert NAME not in visitor.locator("main").inner_text()


def test_a_pause_keeps_what_was_typed_and_says_so_above_it(someone: Someone, desk: Flask) -> None:
    case, writing = someone(f"/cases/{SLUG}"), someone(f"/cases/{SLUG}/letter")
    writing.get_by_label("One sentence of your own").fill("I teach biology.")
    expect(writing.locator("#sheet")).to_contain_text("I teach biology.")
    pledge = writing.locator(".act-form [type=submit]").last
    expect(case.locator("#live")).to_have_count(1)
    set_status(desk, CaseStatus.PAUSED)
    expect(writing.get_by_role("alert")).to_have_text(
        "This case is paused. Please do not send anything now.", timeout=SOON
    )
    expect(writing.get_by_label("One sentence of your own")).to_have_value("I teach biology.")
    expect(pledge).to_be_disabled()
    expect(case.get_by_role("heading", name="Please wait")).to_be_visible(timeout=SOON)
    set_status(desk, CaseStatus.PUBLISHED)
    expect(pledge).to_be_enabled(timeout=SOON)
    expect(writing.get_by_role("alert")).to_have_count(0)
    expect(case.get_by_role("heading", name="Act now")).to_be_visible(timeout=SOON)


def test_a_paused_case_that_is_then_withdrawn_is_not_named_any_more(someone: Someone, desk: Flask) -> None:
    case, writing = someone(f"/cases/{SLUG}"), someone(f"/cases/{SLUG}/letter")
    set_status(desk, CaseStatus.PAUSED)
    expect(case.get_by_role("heading", name="Please wait")).to_be_visible(timeout=SOON)
    expect(writing.get_by_role("alert")).to_be_visible(timeout=SOON)
    set_status(desk, CaseStatus.WITHDRAWN)
    for page in (case, writing):
        expect(page.get_by_role("heading", level=1)).to_have_text("This case is no longer here", timeout=SOON)
