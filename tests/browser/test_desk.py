"""The desk in a real browser: two languages, a photograph, a review, a publication, a visitor, a withdrawal."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from benchmarks.stage import wait_until
from tests.browser.desk import Desk
from tests.programs import Server

pytestmark = pytest.mark.browser

Someone = Callable[..., Page]

NAME, SLUG = "Mina Kestrel", "mina-kestrel"
SOON = 6_000
"""Milliseconds."""

ENGLISH = {
    "Headline": "Held for a song about a harbour",
    "Summary": "Mina Kestrel wrote a song. [S1] She was taken the next day. [S1]",
    "What happened": "Mina wrote a song. [S1]\n\nShe was **taken** the next day. She sings in prison.",
    "What we ask": "- Set her free. [S1]",
    "Subject of the letter and the e-mail": "Please set Mina Kestrel free",
    "How it closes": "Yours sincerely,",
}
FRENCH = {
    "Headline": "Détenue pour une chanson sur un port",
    "Summary": "Mina Kestrel a écrit une chanson. [S1]",
    "What happened": "Mina a écrit une chanson sur le port. [S1]",
    "What we ask": "- Libérez-la. [S1]",
    "Subject of the letter and the e-mail": "Libérez Mina Kestrel",
    "How it closes": "Veuillez agréer mes salutations,",
}
LETTER = "I am writing about {person}.\n\n{own_words}\n\nI ask you to set {person} free."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A demonstration of these tests' own, with people on its desk."""
    server = Server(tmp_path_factory.mktemp("desk"), WFR_DEMO="1", WFR_LIMIT_PLEDGES_WITHOUT_PROOF="1000 per hour")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def desk(chromium: Browser, server: Server) -> Iterator[Desk]:
    desk = Desk(chromium, server)
    yield desk
    desk.close()
    assert desk.problems == []


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A photograph as a telephone makes it, with a place in it."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (6.0, 7.0, 8.0)}
    drawn = Image.effect_noise((1600, 2000), 60).convert("RGB")
    file = tmp_path / "mina.jpg"
    drawn.save(file, exif=exif)
    return file


def words(page: Page, given: dict[str, str]) -> None:
    """Write one language's words into the editor that is open."""
    for label, text in given.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("textbox", name="Letter", exact=True).fill(LETTER)


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SOON)


def test_a_case_goes_from_the_first_word_to_visitors_and_is_withdrawn(
    desk: Desk, someone: Someone, server: Server, picture: Path
) -> None:
    writer = desk.sit_down("writer")
    _begin(writer)
    _write(writer)
    _photograph(writer, picture)
    _agree(writer)
    writer.goto(f"/desk/cases/{SLUG}")
    writer.get_by_role("button", name="Hand it in for review").click()
    expect(writer.get_by_role("heading", name="In review")).to_be_visible()

    reviewer = desk.sit_down("reviewer")
    expect(reviewer.get_by_role("link", name=NAME).first).to_be_visible()
    reviewer.goto(f"/desk/cases/{SLUG}/review")
    expect(reviewer.get_by_text("She sings in prison.").first).to_be_visible()
    reviewer.get_by_text("Ask for a change", exact=True).click()
    reviewer.get_by_label("What should change").fill("Who says that she sings?")
    reviewer.get_by_role("button", name="Give it back").click()

    writer.goto(f"/desk/cases/{SLUG}")
    expect(writer.get_by_text("Who says that she sings?").first).to_be_visible()
    writer.get_by_role("button", name="Change this case").click()
    writer.goto(f"/desk/cases/{SLUG}/edit")
    writer.get_by_label("What happened", exact=True).fill("Mina wrote a song about the harbour. [S1]")
    saved(writer)
    writer.goto(f"/desk/cases/{SLUG}")
    writer.get_by_role("button", name="Hand it in for review").click()
    expect(writer.get_by_role("heading", name="In review")).to_be_visible()
    _cannot_approve_alone(writer)

    reviewer.goto(f"/desk/cases/{SLUG}/review")
    seen = reviewer.get_by_label("I have looked at")
    if seen.count():
        seen.check()
    reviewer.get_by_role("button", name="Approve it").click()
    assert someone(f"/cases/{SLUG}").get_by_role("heading", level=1).inner_text() != NAME

    coordinator = desk.sit_down("coordinator")
    coordinator.goto(f"/desk/cases/{SLUG}")
    coordinator.get_by_role("button", name="Publish it now").click()
    assert wait_until(lambda: coordinator.request.get(f"/cases/{SLUG}").status == 200, 5)

    visitor = someone(f"/cases/{SLUG}")
    _act(visitor)
    reading = someone(f"/cases/{SLUG}")

    reviewer.goto(f"/desk/cases/{SLUG}")
    reviewer.locator("#withdraw-reason").fill("Her family asked.")
    reviewer.get_by_role("button", name="Withdraw now").click()
    for page in (visitor, reading):
        expect(page.get_by_role("heading", level=1)).to_have_text("This case is no longer here", timeout=SOON)
        assert NAME not in page.locator("main").inner_text()

    done = server.run("audit", "verify")
    assert done.returncode == 0 and "unbroken" in done.stdout, done.stdout


def _begin(writer: Page) -> None:
    writer.goto("/desk/cases")
    writer.get_by_label("Name, as it may be shown").fill(NAME)
    expect(writer.get_by_label("Address of its page")).to_have_value(SLUG)
    writer.get_by_label("Country").select_option("TG")
    writer.get_by_role("button", name="Begin it").click()
    writer.goto(f"/desk/cases/{SLUG}/edit")


def _write(writer: Page) -> None:
    writer.get_by_role("checkbox", name="Letter", exact=True).check()
    words(writer, ENGLISH)
    # The preview follows the part that is being written.
    writer.get_by_label("What happened", exact=True).focus()
    expect(writer.locator("#preview")).to_contain_text("She sings in prison.", timeout=SOON)
    writer.get_by_role("button", name="Add somebody").click()
    writer.get_by_label("Office", exact=True).fill("Minister of Justice")
    writer.get_by_label("Salutation").fill("Dear Minister,")
    writer.get_by_label("Postal address").fill("1 River Road\nLomé")
    writer.locator("[name='targets-0-country']").select_option("TG")
    writer.get_by_role("button", name="Add a source").click()
    writer.get_by_label("Tag", exact=True).fill("S1")
    writer.locator("[name='sources-0-title']").fill("A newspaper of Lomé")
    writer.get_by_role("button", name="Checked today").click()
    writer.get_by_text("Languages", exact=True).click()
    writer.get_by_label("Add a language").select_option("fr")
    writer.get_by_role("button", name="Add it").click()
    expect(writer.get_by_role("heading", name="Words in Français")).to_be_visible()
    words(writer, FRENCH)
    saved(writer)


def _photograph(writer: Page, picture: Path) -> None:
    writer.goto(f"/desk/cases/{SLUG}/photograph")
    writer.locator("input[type=file]").set_input_files(picture)
    for box in writer.locator("[name^='alt_']").all():
        box.fill("Mina on a quay")
    writer.get_by_label("Credit").fill("A friend")
    writer.get_by_role("button", name="Put it into the draft").click()
    expect(writer.locator(".photograph-page img")).to_be_visible()


def _agree(writer: Page) -> None:
    writer.goto(f"/desk/cases/{SLUG}/consent")
    writer.get_by_label("The person").check()
    for label in ("The story", "The photograph", "Letter"):
        writer.get_by_role("checkbox", name=label).first.check()
    writer.locator("[name=ends]").fill("2030-12-31")
    writer.get_by_label("Where the evidence lies").fill("file 12 of the regional office")
    writer.get_by_role("button", name="Record it").click()
    expect(writer.get_by_role("heading", name="The newest version is covered")).to_be_visible()


def _cannot_approve_alone(writer: Page) -> None:
    """Call the address by hand, with the page's own token, as somebody would who took one account."""
    token = writer.locator("[name=csrf_token]").first.get_attribute("value") or ""
    answer = writer.request.post(
        f"/desk/cases/{SLUG}/approve",
        form={"csrf_token": token, "number": "2", "sources_seen": "y"},
        headers={"Origin": writer.url.split("/desk")[0]},
    )
    assert answer.status == 403, answer.status


def _act(visitor: Page) -> None:
    expect(visitor.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(visitor.get_by_alt_text("Mina on a quay")).to_be_visible()
    _no_place_in(visitor)
    visitor.get_by_role("link", name="Write a letter").first.click()
    visitor.get_by_label("The country you write from").select_option("PT")
    visitor.get_by_role("button", name="Pledge").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Pledged")


def _no_place_in(visitor: Page) -> None:
    source = visitor.get_by_alt_text("Mina on a quay").evaluate("image => image.currentSrc")
    shown = Image.open(io.BytesIO(visitor.request.get(source).body()))
    assert not shown.getexif() and "exif" not in shown.info and shown.width <= 1280


def test_who_was_signed_out_while_writing_loses_no_word(desk: Desk, server: Server) -> None:
    writer = desk.sit_down("writer")
    writer.goto("/desk/cases/germain-rukuki")
    writer.get_by_role("button", name="Change this case").click()
    headline = writer.get_by_label("Headline", exact=True)
    headline.fill("The first words")
    saved(writer)
    database = sqlite3.connect(server.folder / "wfr.db")
    with database:
        database.execute("delete from desk_sessions")
    database.close()
    headline.fill("The words that must not be lost")
    expect(writer.locator("#saved")).to_contain_text("you have been signed out", timeout=SOON)
    desk.sign_in(writer.context.new_page(), "writer")
    headline.press("End")
    headline.type(" again")
    saved(writer)
    writer.reload()
    expect(writer.get_by_label("Headline", exact=True)).to_have_value("The words that must not be lost again")
