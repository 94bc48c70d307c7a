"""What every desk page must be in a real browser: usable by everybody, by keyboard alone, on the smallest screen."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from benchmarks.stage import wait_until
from tests.browser.desk import Desk
from tests.programs import Server

pytestmark = pytest.mark.browser

IN_REVIEW, DRAFT = "jani-silva", "nassima-al-sada"
PAGES = [
    "/desk/",
    "/desk/cases",
    f"/desk/cases/{IN_REVIEW}",
    f"/desk/cases/{IN_REVIEW}/review",
    f"/desk/cases/{IN_REVIEW}/versions/1",
    f"/desk/cases/{IN_REVIEW}/consent",
    f"/desk/cases/{IN_REVIEW}/edit",
    f"/desk/cases/{DRAFT}",
    f"/desk/cases/{DRAFT}/edit",
    f"/desk/cases/{DRAFT}/photograph",
    f"/desk/cases/{DRAFT}/replies",
    "/desk/drives",
    "/desk/drives/{school}",
    "/desk/posts",
    "/desk/posts/1",
    "/desk/urgent-actions",
    "/desk/urgent-actions/iria-noor",
    "/desk/mailings",
    "/desk/mailings/1",
    "/desk/outbox",
    "/desk/numbers",
    "/desk/sharing",
    "/desk/corrections",
    "/desk/seasons",
    "/desk/seasons/new",
    "/desk/seasons/2020",
    "/desk/seasons/import",
    "/desk/share/account",
    "/desk/stories",
    "/desk/stories/new",
    "/desk/stories/albert-woodfox/en",
    "/desk/accounts",
    "/desk/accounts/new",
    "/desk/accounts/1",
    "/desk/audit",
    "/desk/me",
    "/desk/me/second-factor",
    "/desk/nowhere",
]

# Where the focus is, told apart from every other element, and whether one can see that it is there.
FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const drawn = (one) => getComputedStyle(one).outlineStyle !== "none" || getComputedStyle(one).boxShadow !== "none";
  const around = [element, element.closest("label"), element.nextElementSibling].filter(Boolean);
  window.seen = window.seen ?? new Map();
  if (!window.seen.has(element)) window.seen.set(element, window.seen.size);
  return { id: window.seen.get(element), what: element.outerHTML.slice(0, 160), shown: around.some(drawn) };
}"""
# Of a group of radio buttons the keyboard reaches one: the chosen one, or else the first.
REACHABLE = """() => {
  const every = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const seen = (one) => one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
  const group = (one) => [...document.querySelectorAll(`input[type=radio][name="${one.name}"]`)];
  const leads = (one) => one === (group(one).find((other) => other.checked) ?? group(one)[0]);
  return [...document.querySelectorAll(every)]
    .filter((one) => seen(one) && !one.disabled && one.type !== "hidden" && one.tabIndex >= 0)
    .filter((one) => one.type !== "radio" || leads(one)).length;
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("desk-looks"), WFR_DEMO="1")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def desk(chromium: Browser, server: Server) -> Iterator[Desk]:
    desk = Desk(chromium, server)
    writer = desk.sit_down("writer")
    for slug in (IN_REVIEW, DRAFT):
        writer.goto(f"/desk/cases/{slug}")
        writer.get_by_role("button", name="Change this case").click()
        expect(writer.get_by_role("heading", level=1)).to_contain_text("Draft of")
    writer.goto(f"/desk/cases/{IN_REVIEW}/edit")
    writer.get_by_label("Headline", exact=True).fill("She was told of a plan to kill her.")
    expect(writer.locator("#saved")).to_contain_text("Saved")
    writer.goto(f"/desk/cases/{IN_REVIEW}")
    writer.get_by_role("button", name="Hand it in for review").click()
    expect(writer.get_by_role("heading", name="In review")).to_be_visible()
    writer.goto("/desk/posts")
    writer.get_by_label("About").select_option("Germain Rukuki")
    writer.get_by_role("button", name="Begin").click()
    expect(writer.get_by_role("heading", level=1)).to_have_text("Post about Germain Rukuki")
    writer.goto("/desk/mailings")
    writer.locator(".mailing-begin summary").click()
    writer.locator(".mailing-begin select").select_option("Jani Silva")
    writer.locator(".mailing-begin button").click()
    expect(writer).to_have_url(re.compile("/desk/mailings/1"))
    count_letters_of_a_school(desk, server)
    yield desk
    desk.close()
    assert desk.problems == []


def count_letters_of_a_school(desk: Desk, server: Server) -> None:
    """Have a school start its drive and the office count a line, so that its page at the desk has every part."""
    school = server.run("demo", "school")
    assert school.returncode == 0, school.stderr
    reviewer = desk.sit_down("reviewer")
    reviewer.goto(address("/desk/drives/{school}", server))
    reviewer.get_by_text("Count something that is not listed").click()
    reviewer.get_by_label("Counted", exact=True).fill("27")
    reviewer.get_by_role("button", name="Enter the count").click()
    expect(reviewer.get_by_text("Counted. The public number holds it now.")).to_be_visible()


def address(path: str, server: Server) -> str:
    """Return a page's address, with the slug of the demonstration's school."""
    if "{school}" not in path:
        return path
    database = sqlite3.connect(server.folder / "wfr.db")
    (slug,) = database.execute("select slug from drives").fetchone()
    database.close()
    return path.format(school=slug)


@pytest.fixture(scope="module")
def cora(desk: Desk) -> Page:
    """A coordinator who may see everything."""
    return desk.sit_down("coordinator")


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_and_nothing_is_too_wide(cora: Page, server: Server, path: str) -> None:
    for width in (1440, 360, 320):
        cora.set_viewport_size({"width": width, "height": 900})
        cora.goto(address(path, server))
        if width == 320:
            assert cora.evaluate("document.documentElement.scrollWidth") <= 320
        else:
            results = Axe().run(cora)
            assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("path", PAGES)
def test_the_keyboard_reaches_everything_and_one_sees_where_one_is(cora: Page, server: Server, path: str) -> None:
    cora.set_viewport_size({"width": 1440, "height": 900})
    cora.goto(address(path, server))
    wanted = cora.evaluate(REACHABLE)
    seen: set[int] = set()
    for _ in range(wanted + 60):
        cora.keyboard.press("Tab")
        focused = cora.evaluate(FOCUSED)
        if focused is None:
            break
        assert focused["shown"], focused["what"]
        seen.add(focused["id"])
    assert len(seen) >= wanted, f"{len(seen)} of {wanted}"


def test_the_door_is_for_everybody(desk: Desk, chromium: Browser, server: Server) -> None:
    context = chromium.new_context(base_url=server.url, viewport={"width": 360, "height": 800})
    page = context.new_page()
    for path in ("/desk/sign-in", "/desk/sign-in?again=1", "/desk/sign-in?again=later", "/desk/invitation/none"):
        page.goto(path)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
    link = server.run("staff", "add", "gwen", "--email", "gwen@example.org", "--role", "writer").stdout
    page.goto(next(word for word in link.split() if "/desk/invitation/" in word))
    expect(page.get_by_role("img")).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    context.close()


def test_somebody_signs_in_and_withdraws_a_case_by_keyboard_alone(desk: Desk, server: Server) -> None:
    page = desk.sit_down("reviewer", width=360)
    page.goto("/desk/cases/paing-phyo-min")
    _tab_to(page, "#withdraw-reason")
    page.keyboard.type("His family asked.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Withdrawn", exact=True).first).to_be_visible()
    assert wait_until(lambda: page.request.get("/cases/paing-phyo-min").status == 410, 5)


def test_an_old_code_is_asked_for_again_and_what_was_typed_goes_on(desk: Desk, cora: Page, server: Server) -> None:
    database = sqlite3.connect(server.folder / "wfr.db")
    with database:
        database.execute("update desk_sessions set code_at = '2020-01-01 00:00:00.000000'")
    database.close()
    cora.goto("/desk/accounts/new")
    cora.get_by_label("Name").fill("hugo")
    cora.get_by_label("E-mail").fill("hugo@example.org")
    cora.get_by_label("Writer").check() if cora.get_by_label("Writer").count() else None
    cora.locator("main form button[type=submit]").click()
    expect(cora.get_by_role("heading", level=1)).to_have_text("A fresh code, please")
    results = Axe().run(cora)
    assert results.violations_count == 0, results.generate_report()
    cora.get_by_label("Code").fill(desk.code("coordinator"))
    cora.get_by_role("button", name="Go on").click()
    expect(cora.locator("main")).to_contain_text("hugo")


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")
