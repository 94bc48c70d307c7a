"""A page of another site shows a case in a frame; our other pages let nobody do that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Request, expect

from tests.programs import Server

pytestmark = pytest.mark.browser

SLUG, NAME = "idris-khattak", "Idris Khattak"

Frame = Callable[..., tuple[Page, FrameLocator]]


@pytest.fixture
def elsewhere() -> Iterator[ThreadingHTTPServer]:
    """A site of somebody else: it serves whatever page was put in it."""

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(self.server.page.encode())  # type: ignore[attr-defined]

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
            pass

    site = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    serving = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    yield site
    site.shutdown()
    serving.join()
    site.server_close()


@pytest.fixture
def framed(chromium: Browser, server: Server, elsewhere: ThreadingHTTPServer) -> Iterator[Frame]:
    """Return a function that shows one of our addresses in a frame of the other site."""
    contexts: list[BrowserContext] = []

    def show(path: str, attributes: str = "", problems: list[str] | None = None) -> tuple[Page, FrameLocator]:
        context = chromium.new_context()
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        source = f'src="{server.url}{path}" width="400" height="520"'
        elsewhere.page = f"<!doctype html><title>Elsewhere</title><iframe {source} {attributes}></iframe>"  # type: ignore[attr-defined]
        if problems is not None:
            page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.clock.install()
        page.goto(f"http://127.0.0.1:{elsewhere.server_port}/")
        return page, page.frame_locator("iframe")

    yield show
    cookies = [cookie for context in contexts for cookie in context.cookies()]
    for context in contexts:
        context.close()
    assert cookies == []


def test_another_site_shows_the_case_and_its_number_and_leads_to_it(framed: Frame, server: Server) -> None:
    page, frame = framed(f"/embed/{SLUG}")
    expect(frame.get_by_role("heading", level=1)).to_contain_text(f"{NAME}:")
    expect(frame.locator(".embed-count")).to_contain_text("actions")
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Write now").click()
    expect(opened.value).to_have_url(f"{server.url}/cases/{SLUG}")
    assert opened.value.evaluate("window.opener") is None


def test_axe_finds_nothing_in_light_and_dark(chromium: Browser, server: Server) -> None:
    page = chromium.new_page(base_url=server.url, viewport={"width": 400, "height": 520})
    for slug in (SLUG, "nobody"):
        for theme in ("light", "dark"):
            page.goto(f"/embed/{slug}?theme={theme}")
            expect(page.locator(f"html.embed-{theme} h1")).to_be_visible()
            results = Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
    page.context.close()


def test_our_other_pages_stay_out_of_frames(framed: Frame) -> None:
    for path in ("/", f"/cases/{SLUG}"):
        _page, frame = framed(path)
        expect(frame.get_by_role("heading", level=1)).to_have_count(0)
        assert NAME not in (frame.locator("body").text_content() or "")


def test_the_number_follows_and_a_case_that_is_gone_leaves(framed: Frame) -> None:
    page, frame = framed(f"/embed/{SLUG}")
    count = frame.locator(".embed-count b")
    expect(count).not_to_have_text("123,456")
    moved = '<div id="now"><p class="embed-count"><span class="count"><b>123,456</b> actions</span></p></div>'
    page.route("**/now", lambda route: route.fulfill(status=200, content_type="text/html", body=moved))
    page.clock.run_for(31_000)
    expect(count).to_have_text("123,456")
    page.unroute_all()
    page.route("**/now", lambda route: route.fulfill(status=410, body=""))
    page.clock.run_for(31_000)
    expect(frame.get_by_role("heading", level=1)).to_have_text("This case is not here now")
    assert NAME not in frame.locator("body").inner_text()


def test_it_asks_often_for_an_hour_and_seldom_after(framed: Frame) -> None:
    page, frame = framed(f"/embed/{SLUG}")
    expect(frame.locator(".embed-count")).to_be_visible()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if request.url.endswith("/now") else None)
    page.clock.run_for(60 * 60 * 1000)
    page.clock.fast_forward(1000)
    before = len(asked)
    page.clock.run_for(25 * 60 * 1000)
    assert 100 <= before <= 121 and 2 <= len(asked) - before <= 3


def test_in_the_sandbox_of_a_wordpress_site_it_looks_right_counts_and_hands_over_its_links(
    framed: Frame, server: Server
) -> None:
    problems: list[str] = []
    page, frame = framed(f"/embed/{SLUG}#?secret=abcDEF1234", 'sandbox="allow-scripts"', problems)
    expect(frame.locator(".embed-count")).to_contain_text("actions")
    with page.expect_response("**/now") as answer:
        page.clock.run_for(31_000)
    assert answer.value.status == 200
    page.wait_for_load_state("networkidle")
    # The browser complains of every font, script and answer that the sandbox keeps from the frame.
    assert problems == []
    page.evaluate("addEventListener('message', (event) => { window.told = event.data; })")
    frame.get_by_role("link", name="Write now").click()
    page.wait_for_function("window.told")
    told = page.evaluate("window.told")
    assert told == {"message": "link", "value": f"{server.url}/cases/{SLUG}", "secret": "abcDEF1234"}
