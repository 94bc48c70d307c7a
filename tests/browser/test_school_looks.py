"""The pages of teachers and pupils, and the wall: usable by everybody, on any screen, and honest about a lost line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.programs import Server

pytestmark = pytest.mark.browser

Someone = Callable[..., Page]

PAGES = [
    "/schools",
    "/schools/start",
    "/schools/links",
    "/schools/pack?code={code}",
    "/schools/manage/{token}",
    "/schools/manage/{token}/plan",
    "/join",
    "/join/{code}",
    "/join/{code}/jani-silva/letter",
    "/join/{code}/task",
]
PROJECTORS = [(1024, 768), (1280, 720), (1920, 1080)]


@dataclass(frozen=True, slots=True)
class School:
    """The demonstration's school: the pupils' code, the wall's address, and the teacher's private word."""

    code: str
    wall: str
    token: str


@pytest.fixture(scope="module")
def school(server: Server) -> School:
    """A school that has started its drive."""
    said = server.run("demo", "school").stdout
    found = re.search(r"code is (\w+)\..*(/schools/\w+/wall)\s.*/schools/manage/(\S+)", said, re.DOTALL)
    assert found, said
    return School(*found.groups())


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_and_nothing_is_too_wide(someone: Someone, school: School, path: str) -> None:
    page = someone(path.format(code=school.code, token=school.token))
    for width in (1440, 360, 320):
        page.set_viewport_size({"width": width, "height": 800})
        if width > 320:
            results = Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_wall_fits_every_projector(someone: Someone, school: School) -> None:
    wall = someone(school.wall)
    results = Axe().run(wall)
    assert results.violations_count == 0, results.generate_report()
    for width, height in PROJECTORS:
        wall.set_viewport_size({"width": width, "height": height})
        assert wall.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
            width,
            height,
        ]


def test_the_wall_says_that_it_lost_its_line_and_finds_it_again(
    chromium: Browser, server: Server, school: School
) -> None:
    line = chromium.new_context(base_url=server.url)
    wall = line.new_page()
    wall.goto(school.wall)
    line.set_offline(True)
    expect(wall.locator("#wall-lost")).to_contain_text("No connection since", timeout=10_000)
    expect(wall.locator("#wall-figure")).to_be_visible()
    line.set_offline(False)
    expect(wall.locator("#wall-lost")).to_be_empty(timeout=10_000)
    line.close()
