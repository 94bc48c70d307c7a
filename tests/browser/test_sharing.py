"""Telling others in a real browser: what it remembers and copies, and that no network hears of it before a tap."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Someone = Callable[..., Page]

# A network's page is never opened here: what would open is written down instead.
LISTEN = """
window.opened = [];
window.open = (address) => { window.opened.push(address); return null; };
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[target="_blank"], a[href^="sms:"], a[href^="mailto:"]');
  if (link) { event.preventDefault(); window.opened.push(link.href); }
});
"""


def kept(page: Page, key: str) -> Any:
    return json.loads(page.evaluate("key => localStorage.getItem(key)", key) or "null")


def way(page: Page, channel: str) -> Any:
    return page.locator(f'.share-way[data-channel="{channel}"]')


def pledged(someone: Someone, slug: str) -> Page:
    page = someone(f"/cases/{slug}/post")
    page.get_by_label("The country you write from").select_option("PT")
    page.get_by_role("button", name="Pledge and post it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pledged")
    page.evaluate(LISTEN)
    return page


def test_links_and_words_are_copied(someone: Someone) -> None:
    page = someone("/cases/jani-silva/share", width=360)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    way(page, "link").click()
    expect(way(page, "link")).to_have_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/s/[0-9a-z]{10}", link)
    way(page, "text").click()
    expect(way(page, "text")).to_have_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert "Jani Silva" in text and re.search(r" http://\S+/s/[0-9a-z]{10}$", text) and link not in text
    assert kept(page, "wfr.shared") is None
    expect(page.locator(".share-device")).to_be_hidden()
    assert Axe().run(page).violations_count == 0


def test_a_mastodon_server_is_asked_for_once_and_remembered_in_this_browser(someone: Someone) -> None:
    page = someone("/cases/jani-silva/share")
    page.evaluate(LISTEN)
    expect(page.get_by_label("Your Mastodon server")).to_be_hidden()
    way(page, "mastodon").click()
    field = page.get_by_label("Your Mastodon server")
    expect(field).to_be_focused()
    field.fill("not a server")
    field.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Type the name of your server")).to_be_visible()
    field.fill("@ana@Mastodon.Example")
    field.press("Enter")
    (opened,) = page.evaluate("opened")
    assert opened.startswith("https://mastodon.example/share?text=") and "%2Fs%2F" in opened
    page.goto("/cases/idris-khattak/share")
    expect(way(page, "mastodon")).to_have_attribute("href", re.compile(r"^https://mastodon\.example/share\?text=Idris"))
    expect(way(page, "mastodon")).to_have_accessible_name("Mastodon (opens in a new tab)")
    page.get_by_role("button", name="Another Mastodon server than mastodon.example").click()
    expect(page.get_by_label("Your Mastodon server")).to_have_value("mastodon.example")
    page.goto("/your-sheet")
    page.get_by_role("button", name="Forget everything").click()
    page.get_by_role("button", name="Sure? Forget everything").click()
    expect(page.locator("#sheet-forget")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('wfr.mastodon')") is None


def test_who_shares_after_an_action_can_look_up_later_what_came_of_it(someone: Someone) -> None:
    page = pledged(someone, "nassima-al-sada")
    assert kept(page, "wfr.shared") is None
    way(page, "whatsapp").click()
    way(page, "telegram").click()
    (entry,) = kept(page, "wfr.shared")
    assert entry["slug"] == "nassima-al-sada" and entry["name"] and re.fullmatch(r"\d{4}-\d\d-\d\d", entry["day"])
    assert re.fullmatch(r"/shared/[\w.~-]+", entry["private"])
    assert len(page.evaluate("opened")) == 2

    # The words change in every link, and the links stay this visitor's own.
    code = re.compile(r"%2Fs%2F([0-9a-z]{18})")
    before = code.findall(way(page, "bluesky").get_attribute("href"))
    page.get_by_text("Change the words first").click()
    page.get_by_label("Your words").fill("My friends, one minute for Nassima!")
    expect(way(page, "bluesky")).to_have_attribute("href", re.compile("text=My%20friends%2C"))
    assert code.findall(way(page, "bluesky").get_attribute("href")) == before
    page.get_by_label("Your words").fill("日本" * 150)
    expect(page.locator("#share-measures")).to_contain_text("X 344 too many")
    expect(page.locator("#share-said")).to_have_text(re.compile("Too long for X, Bluesky"))
    expect(page.get_by_label("Your words")).to_be_focused()

    page.evaluate("navigator.share = async (shared) => { window.handed = shared; }")
    page.get_by_label("Your words").fill("Short again")
    page.get_by_role("button", name="Share with this device").click()
    handed = page.evaluate("handed")
    assert handed["text"] == "Short again" and "/s/" in handed["url"]
    assert len(kept(page, "wfr.shared")) == 1

    page.goto(entry["private"])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
