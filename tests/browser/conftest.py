"""A real browser in front of the real program, started the way a host starts it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.programs import Server

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MEND = "Chromium is missing. On Debian or Ubuntu: sudo apt-get install chromium. Or set WFR_CHROMIUM to its path."


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration, served by `wfr run` as `bin/run` starts it."""
    server = Server(tmp_path_factory.mktemp("server"), WFR_DEMO="1", WFR_LIMIT_PLEDGES_WITHOUT_PROOF="1000 per hour")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright."""
    path = os.environ.get("WFR_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.fail(MEND)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def someone(chromium: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a new browser, with nothing in it, on a page of the site.

    What goes wrong in the browser's console, or a request to another host, fails the test at its end.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(path: str = "/", *, width: int = 1440, script: bool = True) -> Page:
        context = chromium.new_context(
            base_url=server.url,
            viewport={"width": width, "height": 900},
            java_script_enabled=script,
            locale="en-GB",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: _note(message.text, problems) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: _only_ours(request.url, server.url, problems))
        page.goto(path)
        return page

    yield open_page
    cookies = [cookie for context in contexts for cookie in context.cookies()]
    for context in contexts:
        context.close()
    assert problems == []
    assert cookies == []


def _note(complaint: str, problems: list[str]) -> None:
    # What the SSE extension says when it is told to poll, and what a browser says of a refusal that a test wanted.
    wanted = complaint.startswith("Failed to load resource") and (
        "status of 404" in complaint or "status of 410" in complaint or "status of 422" in complaint
    )
    if complaint != "[object Event]" and not wanted:
        problems.append(complaint)


def _only_ours(url: str, ours: str, problems: list[str]) -> None:
    if not url.startswith((ours, "data:", "blob:", "about:", "mailto:")):
        problems.append(f"the page asked {url}")
