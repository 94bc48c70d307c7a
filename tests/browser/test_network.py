"""A member's whole way in a real browser: she joins, confirms, acts, follows, hears of it, leaves, and is forgotten."""

from __future__ import annotations

import email
import email.policy
import re
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.desk import make_people
from tests.programs import Server
from tests.test_architecture import ROOT

pytestmark = pytest.mark.browser

Someone = Callable[..., Page]
ADDRESS = "quetzalina.k@example.org"
SLUG, NAME = "iria-noor", "Iria Noor"
NEWS = "**This person is invented.** Iria Noor got her medicine."
WAIT_SECONDS = 30


def mails(server: Server) -> list[EmailMessage]:
    """Return the mails that were laid out for her, the oldest first."""
    files = sorted((server.folder / "outbox").glob("*.eml"))
    found = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
    return [mail for mail in found if isinstance(mail, EmailMessage) and ADDRESS in str(mail["To"])]


def link_in(mail: EmailMessage, server: Server, page: str) -> str:
    """Return the path of the mail's link to one of her pages."""
    body = mail.get_body(("plain",))
    assert body
    found = re.search(rf"{re.escape(server.url)}(/network/{page}/\S+)", body.get_content())
    assert found, body.get_content()
    return found[1]


def join(member: Page, server: Server) -> str:
    """Join by the form, the mail and its button; return the address of her own page."""
    member.get_by_label("e-mail").fill(ADDRESS)
    member.get_by_label("Country").select_option("IE")
    member.get_by_role("button", name="Send me the mail that confirms").click()
    expect(member.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    member.goto(link_in(mails(server)[-1], server, "confirm"))
    member.get_by_role("button", name="Yes, write to me").click()
    expect(member.get_by_role("heading", level=1)).to_have_text("Your page")
    return member.url


def change_preferences(member: Page) -> None:
    """Ask for fewer mails, and only from one region."""
    member.get_by_label("At most", exact=True).check()
    member.get_by_text("Only some regions or concerns").click()
    member.get_by_label("Asia").check()
    member.get_by_role("button", name="Save").click()
    expect(member.get_by_role("status")).to_have_text("Saved.")
    expect(member.get_by_label("Asia")).to_be_checked()


def act_and_follow(member: Page, server: Server) -> None:
    """Write a letter for the Urgent Action, and ask to hear what happens."""
    member.goto("/urgent-actions")
    member.get_by_role("link", name=re.compile(NAME)).first.click()
    expect(member.get_by_role("heading", level=1)).to_contain_text(NAME)
    member.get_by_role("link", name=re.compile("letter", re.IGNORECASE)).first.click()
    member.get_by_label("The country you write from").select_option("IE")
    member.get_by_role("button", name="Pledge and print my letter").click()
    expect(member.get_by_role("heading", level=1)).to_have_text("Pledged. Now print and post it.", timeout=20_000)
    boxes = member.locator(".stay-in-touch input[type=checkbox]")
    assert not any(box.is_checked() for box in boxes.all())
    member.get_by_label(f"Tell me what happens to {NAME}").check()
    member.locator(".stay-in-touch").get_by_label("e-mail").fill(ADDRESS)
    with member.context.expect_page() as opened:
        member.get_by_role("button", name="Ask for it").click()
    answer = opened.value
    expect(answer.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    answer.goto(link_in(mails(server)[-1], server, "confirm"))
    answer.get_by_role("button", name="Yes, follow").click()
    expect(answer.locator(".followed")).to_contain_text(NAME)
    answer.close()


def issue_update(server: Server) -> EmailMessage:
    """Have the desk issue the next Urgent Action; return the message that the queue sends her."""
    make_people(server)
    known = len(mails(server))
    done = subprocess.run(
        [sys.executable, "-m", "tests.browser.issuing", SLUG, NEWS],
        cwd=ROOT,
        env=server.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends = time.monotonic() + WAIT_SECONDS
    while len(mails(server)) == known and time.monotonic() < ends:
        time.sleep(0.2)
    (message,) = mails(server)[known:]
    return message


def files_that_name_her(server: Server) -> list[str]:
    """Return the files of the data folder in which her address stands."""
    named = ADDRESS.encode()
    return [file.name for file in server.folder.rglob("*") if file.is_file() and named in file.read_bytes()]


def test_a_member_joins_acts_follows_hears_of_it_leaves_and_is_forgotten(someone: Someone, server: Server) -> None:
    member = someone("/network", width=390)
    mine = join(member, server)
    change_preferences(member)
    act_and_follow(member, server)

    message = issue_update(server)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = message.get_body(("plain",))
    assert text and "Iria Noor got her medicine" in text.get_content()
    member.goto(link_in(message, server, "me"))
    assert member.url == mine
    expect(member.locator(".followed")).to_contain_text("Iria Noor got her medicine.")
    expect(member.locator(".followed")).to_contain_text("Third UA")
    assert Axe().run(member).violations_count == 0
    export = member.request.get(f"{mine}/export").json()
    assert ADDRESS in str(export) and NAME in str(export)

    assert files_that_name_her(server)
    member.goto(link_in(message, server, "leave"))
    member.get_by_role("button", name="Stop and erase me").click()
    expect(member.get_by_role("heading", level=1)).to_have_text("Goodbye, and thank you")
    assert mails(server) == []
    assert member.request.get(mine).status == 404
    assert member.request.post(link_in(message, server, "leave")).status == 200
    checked = server.run("tally", "verify")
    assert checked.stdout.strip().endswith("drift 0")
    # SQLite overwrites freed pages when its log is folded in; what is left of her is a digest.
    assert [name for name in files_that_name_her(server) if not name.endswith("-wal")] == []
