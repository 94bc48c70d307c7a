"""A class of pupils writes, the post goes, the office counts: from a teacher's first click to the certificate."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import Desk
from tests.programs import Server

pytestmark = pytest.mark.browser

Someone = Callable[..., Page]
CASE = "jani-silva"
CANARY = "Quetzalina"


@pytest.fixture
def desk(chromium: Browser, server: Server) -> Iterator[Desk]:
    """The desk of the demonstration's people."""
    desk = Desk(chromium, server)
    yield desk
    desk.close()
    assert desk.problems == []


def text_of_pdf(content: bytes) -> str:
    """Return what stands in a PDF file, page after page."""
    document = pypdfium2.PdfDocument(content)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def link_in_mail(server: Server, words: str) -> str:
    """Return the address after `words` in the newest mail of the outbox that has them, without the host."""
    for file in sorted((server.folder / "outbox").glob("*.eml"), reverse=True):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        body = message.get_body()
        text = body.get_content() if body else ""
        found = re.search(rf"{re.escape(server.url)}({words}\S+)", text)
        if found:
            return found[1]
    raise AssertionError(f"no mail with a link to {words}")


def public_letters(page: Page) -> int:
    """Return the case's public number of letters."""
    tally = page.request.get("/tally.json").json()
    return int(tally["cases"][CASE]["letter"]["pledged"])


def write_as_pupil(someone: Someone, code: str, name: str) -> str:
    """Join by the code in a browser of one's own, write for the case and print; return the paper's text."""
    pupil = someone("/join", width=390)
    pupil.get_by_label("Your class’s code").fill(code.lower())
    pupil.get_by_role("button", name="Go to my class").click()
    card = pupil.locator(".choice-card", has_text="Jani Silva")
    card.get_by_role("link", name="Write a letter").click()
    pupil.get_by_label("One sentence of your own").fill(f"{name} thinks of the river.")
    pupil.get_by_label("Your first name").fill(name)
    pupil.get_by_role("button", name="My letter is ready").click()
    expect(pupil.get_by_role("heading", level=1)).to_have_text("Counted. Now put it on paper.")
    form = pupil.locator("form.way")
    action, data = form.get_attribute("action"), form.evaluate("form => [...new FormData(form)]")
    assert action
    answer = pupil.request.post(action, form=dict(data))
    assert answer.headers["content-type"] == "application/pdf"
    return text_of_pdf(answer.body())


def start_a_drive(teacher: Page, server: Server) -> None:
    """Fill in the form, open the link in the mail, and press the button there."""
    teacher.get_by_role("link", name="Start a drive").first.click()
    teacher.get_by_label("School or group").fill("Riverside School, 9b")
    teacher.get_by_label("Country").select_option("IE")
    teacher.get_by_label("e-mail").fill("teacher@example.org")
    teacher.locator("label[for=case-jani-silva]").click()
    teacher.locator("label", has_text="Idris Khattak").click()
    teacher.get_by_role("button", name="Send me the link").click()
    expect(teacher.get_by_role("heading", level=1)).to_contain_text("mail")
    teacher.goto(link_in_mail(server, "/schools/confirm/"))
    teacher.get_by_role("button", name="Yes, start my drive").click()
    expect(teacher.get_by_role("heading", level=1)).to_have_text("Riverside School, 9b")


def test_a_class_writes_on_thursday_and_its_letters_count(someone: Someone, desk: Desk, server: Server) -> None:
    teacher = someone("/schools")
    start_a_drive(teacher, server)
    before = public_letters(teacher)
    code = teacher.locator(".code-huge").inner_text().strip()
    manage = teacher.url

    pack = teacher.request.get(f"/schools/pack/case-cards.pdf?cases={CASE}&paper=A4")
    assert "Jani Silva" in text_of_pdf(pack.body())
    names = {"cases": CASE, "names": f"{CANARY}\nKofi", "paper": "A4"}
    named = text_of_pdf(teacher.request.post("/schools/pack/letters", form=names).body())
    assert CANARY in named and "Kofi" in named

    wall = someone(teacher.get_by_label("The wall, for the projector").input_value().removeprefix(server.url))
    expect(wall.get_by_role("heading", level=1)).to_have_text("This room")
    expect(wall.locator("#wall-figure .visually-hidden")).to_have_text("0")
    for name in ("Ada", CANARY, "Noor"):
        paper = write_as_pupil(someone, code, name)
        assert f"{name} thinks of the river." in paper and re.search("DO NOT SEND", paper, re.IGNORECASE)
    expect(wall.locator("#wall-figure .visually-hidden")).to_have_text("3", timeout=10_000)
    expect(wall.locator(".wall-case", has_text="Jani")).to_contain_text("3")
    teacher.wait_for_timeout(2_500)
    assert public_letters(teacher) == before + 3

    teacher.goto(manage)
    teacher.get_by_role("group", name="Jani Silva").get_by_label("Letters").fill("28")
    teacher.get_by_role("button", name="Report these numbers").click()
    expect(teacher.locator("main")).to_contain_text("28 reported")
    assert teacher.request.get(f"{manage.partition('?')[0]}/certificate.pdf").status == 409

    omar = desk.sit_down("reviewer")
    omar.goto("/desk/drives")
    omar.get_by_role("link", name="Riverside School, 9b").first.click()
    line = omar.locator(".line", has_text="Jani Silva").filter(has_text="To count")
    line.get_by_label("Count").fill("27")
    line.get_by_role("button", name="Enter").click()
    expect(omar.locator(".line", has_text="Jani Silva").first).to_contain_text("28 reported, 27 counted")
    omar.get_by_role("button", name="Show it").first.click()

    expect(wall.locator("#wall-figure .visually-hidden")).to_have_text("27", timeout=10_000)
    teacher.wait_for_timeout(2_500)
    assert public_letters(teacher) == before + 27
    assert server.run("tally", "verify").stdout.strip().endswith("drift 0")
    certificate = teacher.request.get(f"{manage.partition('?')[0]}/certificate.pdf")
    said = " ".join(text_of_pdf(certificate.body()).split())
    assert re.search(r"\b27\b", said) and "28" not in said and "Riverside School, 9b" in said
    wall.reload()
    expect(wall.get_by_role("heading", level=1)).to_have_text("Riverside School, 9b")
    assert traces_of(CANARY, server.folder) == []


def traces_of(name: str, folder: Path) -> list[str]:
    """Return the files below a data folder, log, queue and write-ahead logs included, that hold a name."""
    return [str(file) for file in folder.rglob("*") if file.is_file() and name.encode() in file.read_bytes()]
