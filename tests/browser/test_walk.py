"""The main job in a real browser: choose, write, pledge, print, "I've posted it", and the world's count moves."""

from __future__ import annotations

import re
from collections.abc import Callable

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Someone = Callable[..., Page]


def shown(page: Page, selector: str) -> int:
    """Return the first number that a part of the page shows."""
    text = page.locator(selector).first.inner_text()
    found = re.search(r"[\d,]+", text)
    assert found, text
    return int(found[0].replace(",", ""))


def printed(page: Page) -> bytes:
    """Press the print button and return the PDF that opens."""
    with page.context.expect_page() as opened:
        form = page.locator("form.send-main")
        action, data = form.get_attribute("action"), form.evaluate("form => [...new FormData(form)]")
        form.locator("button").click()
    opened.value.close()
    assert action
    # Headless Chromium shows no PDF: the same form is sent again to look at what came back.
    answer = page.request.post(action, form=dict(data))
    assert answer.headers["content-type"] == "application/pdf"
    return answer.body()


def test_a_visitor_acts_and_an_open_browser_sees_it_without_a_reload(someone: Someone) -> None:
    watcher = someone("/cases/idris-khattak")
    home = someone("/")
    before = shown(watcher, "#count-idris-khattak")

    visitor = someone("/")
    visitor.get_by_role("link", name=re.compile("Idris Khattak")).first.click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Idris Khattak")
    visitor.get_by_role("link", name="Write a letter").first.click()
    visitor.get_by_label("Your name").fill("Ana Ribeiro")
    visitor.get_by_label("One sentence of your own").fill("I teach biology.")
    expect(visitor.locator("#sheet")).to_contain_text("I teach biology.")
    expect(visitor.locator("#sheet")).to_contain_text("Ana Ribeiro")
    visitor.get_by_label("The country you write from").select_option("PT")
    visitor.get_by_role("button", name="Pledge and print my letter").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Pledged")

    expect(watcher.locator("#count-idris-khattak")).to_contain_text(f"{before + 1:,}", timeout=10_000)
    expect(home.locator("#count-idris-khattak")).to_contain_text(f"{before + 1:,}", timeout=10_000)

    pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(printed(visitor))]
    assert "Ana Ribeiro" in pages[0] and "I teach biology." in pages[0]
    assert re.search("DO NOT SEND", pages[0], re.IGNORECASE)

    visitor.get_by_role("button", name="I’ve posted it").click()
    expect(visitor.locator("#did-it-go")).to_contain_text("Posted. Thank you.")
    visitor.goto("/your-sheet")
    expect(visitor.locator("main")).to_contain_text("Idris Khattak")
    visitor.goto("/")
    expect(visitor.locator('.stamp[data-slug="idris-khattak"] .postmark')).to_be_visible()


def test_the_same_walk_without_javascript(someone: Someone) -> None:
    visitor = someone("/", script=False)
    visitor.get_by_role("link", name=re.compile("Jani Silva")).first.click()
    before = shown(visitor, "#count-jani-silva")
    visitor.get_by_role("link", name="Write a letter").first.click()
    visitor.get_by_label("Your name").fill("Kofi")
    visitor.get_by_label("One sentence of your own").fill("My town has a river too.")
    visitor.get_by_role("button", name="Show my letter").click()
    expect(visitor.locator("#sheet")).to_contain_text("My town has a river too.")
    visitor.get_by_label("The country you write from").select_option("TG")
    visitor.get_by_role("button", name="Pledge and print my letter").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Pledged")
    assert b"%PDF" in printed_without_script(visitor)
    visitor.get_by_role("button", name="I’ve posted it").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Posted. Thank you.")
    visitor.wait_for_timeout(2_500)
    visitor.goto("/cases/jani-silva")
    assert shown(visitor, "#count-jani-silva") == before + 1


def printed_without_script(page: Page) -> bytes:
    """Send the print form as a browser without JavaScript does; scripts cannot read the form for us here."""
    form = page.locator("form.send-main")
    fields = {
        field.get_attribute("name") or "": field.get_attribute("value") or ""
        for field in form.locator("input[type=hidden]").all()
    }
    return page.request.post(form.get_attribute("action") or "", form=fields).body()


def test_an_email_opens_the_visitors_own_program(someone: Someone) -> None:
    page = someone("/cases/germain-rukuki/email", width=390)
    page.get_by_label("The country you write from").select_option("FR")
    page.get_by_role("button", name="Pledge and open my e-mail program").click()
    link = page.get_by_role("link", name="Open my e-mail program")
    address = link.get_attribute("href") or ""
    assert address.startswith("mailto:") and "example.org" in address and "%0D%0A" in address and "+" not in address
    assert "DEMONSTRATION" in address


def test_a_post_is_counted_as_x_counts_while_typing(someone: Someone) -> None:
    page = someone("/cases/nassima-al-sada/post")
    page.get_by_role("textbox", name="Your post").fill("日本" * 100)
    expect(page.locator("#measures")).to_contain_text("X 173 too many")
    expect(page.locator("#measures")).to_contain_text("274 of 300")


def test_errors_are_summed_up_focused_and_lead_to_their_fields(someone: Someone) -> None:
    page = someone("/cases/jani-silva/letter")
    page.get_by_label("Your name").fill("Ana Ribeiro")
    page.get_by_role("button", name="Pledge and print my letter").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Choose the country you write from").click()
    expect(page.get_by_label("The country you write from")).to_be_focused()
    expect(page.get_by_label("Your name")).to_have_value("Ana Ribeiro")


def test_several_letters_at_once(someone: Someone) -> None:
    page = someone("/several")
    for name in ("Idris Khattak", "Gustavo Gatica"):
        page.get_by_role("checkbox", name=re.compile(name)).check(force=True)
    page.get_by_label("The country you write from").select_option("DE")
    page.get_by_role("button", name="Pledge these letters").click()
    expect(page.locator("form[action$='/several/print']")).to_have_count(1)
    answer = page.locator("form[action$='/several/print']")
    data = answer.evaluate("form => [...new FormData(form)]")
    body = page.request.post(
        "/several/print",
        headers={"content-type": "application/x-www-form-urlencoded"},
        data="&".join(f"{name}={value}" for name, value in data),
    ).body()
    assert len(pypdfium2.PdfDocument(body)) == 3


def test_numbers_move_by_polling_where_every_stream_is_taken(someone: Someone) -> None:
    crowd = [someone("/cases/gustavo-gatica") for _ in range(4)]
    late = someone("/cases/gustavo-gatica")
    before = shown(late, "#count-gustavo-gatica")
    visitor = someone("/cases/gustavo-gatica/post")
    visitor.get_by_label("The country you write from").select_option("CL")
    visitor.get_by_role("button", name="Pledge and post it").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Pledged")
    for page in (*crowd, late):
        expect(page.locator("#count-gustavo-gatica")).to_contain_text(f"{before + 1:,}", timeout=12_000)
