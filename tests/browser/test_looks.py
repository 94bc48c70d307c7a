"""What a page must be in a real browser: usable by everybody, light, and nowhere wider than the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request

pytestmark = pytest.mark.browser

Someone = Callable[..., Page]

PUBLIC = [
    "/",
    "/cases/popi-qwabe-and-bongeka-phungula",
    "/cases/jani-silva",
    "/stories",
    "/how-we-count",
    "/privacy",
    "/your-sheet",
    "/urgent-actions",
    "/urgent-actions/iria-noor",
    "/urgent-actions/archive",
    "/network",
    "/several",
    "/cases/jani-silva/letter",
    "/cases/jani-silva/email",
    "/cases/jani-silva/post",
    "/cases/jani-silva/already",
    "/nowhere",
]
KILOBYTE = 1024


@pytest.mark.parametrize("path", PUBLIC)
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing(someone: Someone, path: str, width: int) -> None:
    # Not from a page with live numbers: what they send would arrive in the page that is set below.
    page = someone("/privacy", width=width)
    page.goto(path) if path != "/nowhere" else page.set_content(page.request.get(path).text())
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("path", PUBLIC[:-1])
def test_nothing_is_wider_than_the_smallest_screen(someone: Someone, path: str) -> None:
    page = someone(path, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_case_page_is_light(someone: Someone) -> None:
    page = someone("/privacy")
    page.context.clear_cookies()
    sizes: dict[str, int] = {}

    def weigh(request: Request) -> None:
        size = request.sizes()
        sizes[request.url] = size["responseBodySize"] + size["responseHeadersSize"]

    fresh = page.context.browser.new_context() if page.context.browser else None
    assert fresh
    other = fresh.new_page()
    other.on("requestfinished", weigh)
    other.goto(page.url.replace("/privacy", "/cases/jani-silva"))
    other.wait_for_timeout(800)
    fresh.close()
    heavy = sum(size for url, size in sizes.items() if "/fonts/" in url or ".js" in url)
    assert heavy <= 90 * KILOBYTE, sizes
    assert sum(sizes.values()) <= 120 * KILOBYTE, sizes


def test_the_page_does_not_jump_while_it_loads(someone: Someone) -> None:
    page = someone("/privacy")
    page.add_init_script(
        "window.jumps = 0; new PerformanceObserver(list => list.getEntries().forEach(entry =>"
        " { if (!entry.hadRecentInput) window.jumps += entry.value })).observe({type: 'layout-shift', buffered: true})"
    )
    for path in ("/", "/cases/jani-silva"):
        page.goto(path)
        page.wait_for_timeout(600)
        assert page.evaluate("window.jumps") < 0.02


@pytest.mark.parametrize("path", ["/", "/cases/jani-silva"])
def test_the_keyboard_reaches_the_content_first(someone: Someone, path: str) -> None:
    page = someone(path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"


def test_the_screenshot_of_the_readme(someone: Someone, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder = request.config.getoption("--screenshots")
    page = someone("/", width=1440)
    page.wait_for_timeout(500)
    target = Path(folder or tmp_path) / "home.png"
    page.screenshot(path=target, clip={"x": 0, "y": 0, "width": 1440, "height": 1400}, full_page=True)
    assert target.stat().st_size > 50 * KILOBYTE
