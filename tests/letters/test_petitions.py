"""The petition sheet: what is asked, rows to sign in, and a strip that is cut off."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.letters.reading import MM, Box, Printed
from wfr.cases.models import Case
from wfr.letters.petitions import Petition, petition_for, print_petition
from wfr.letters.printing import Render
from wfr.paper import FAMILIES, PaperError

URL = "https://example.org/petitions/ada-vale?drive=KR7MPD"
LONG = "María del Rosario Fernández de la Vega and the People of Tierra Alta"


@pytest.fixture
def petition(case: Case) -> Petition:
    """Ada Vale's, outside a demonstration."""
    return petition_for(case, case.targets[0], url=URL, language="en", demonstration=False)


def changed(petition: Petition, length: str) -> Petition:
    """Return a petition of that length: ``short``, ``long`` or ``arabic``."""
    if length == "long":
        points = ("Investigate not only those who fired but also those who gave the order, in a fair trial.",) * 5
        return replace(petition, case_name=LONG, headline="Held for a poem about a river. " * 4, points=points)
    if length == "arabic":
        return replace(petition, case_name="آدا فيل", points=("أطلقوا سراحها فوراً.",), language="ar", direction="rtl")
    return petition


def rows_of(printed: Printed) -> list[int]:
    """Return the numbers of the rows, in the order they are read."""
    table = printed.texts[0].partition("SIGNATURE")[2].partition("Cut here")[0]
    return [int(number) for number in re.findall(r"\d+", table)]


def test_a_petition_asks_what_the_case_asks(petition: Petition, render: Render) -> None:
    text = " ".join(Printed(print_petition(petition, paper="A4", render=render)).texts[0].split())
    rest = text
    for part in (
        "PETITION",
        "ADA VALE",
        "Held for a poem",
        "Kofi Brook",
        "TOGO",
        "We who sign here ask you:",
        "Set her free.",
        "Give her poem back.",
        "NAME",
        "PLACE",
        "SIGNATURE",
        "1",
        "2",
        "Cut here. Keep this strip, do not send it.",
        "Signatures on this sheet",
    ):
        assert part in rest
        rest = rest.partition(part)[2]
    assert "[Z1" not in text
    assert "**" not in text


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("length", ["short", "long", "arabic"])
def test_rows_to_sign_in_fill_one_sheet(petition: Petition, render: Render, length: str, paper: str) -> None:
    printed = Printed(print_petition(changed(petition, length), paper=paper, render=render))  # type: ignore[arg-type]
    assert len(printed.texts) == 1
    rows = rows_of(printed)
    assert rows == list(range(1, len(rows) + 1))
    assert len(rows) >= {"short": 13, "long": 8, "arabic": 13}[length]
    first, second = (printed.find(0, str(number))[0].bottom for number in (8, 9))
    assert 9 * MM <= first - second <= 11 * MM


def code_box(printed: Printed, length: str) -> Box:
    """Return where the code lies: 27 mm wide, where the strip begins, at the foot of the sheet."""
    width = printed.size(0)[0]
    margin = (13 if printed.size(0)[1] > 800 else 12) * MM
    left = width - 43 * MM if length == "arabic" else 16 * MM
    return Box(left, margin, left + 27 * MM, margin + 27 * MM)


@pytest.mark.parametrize("length", ["short", "long", "arabic"])
def test_the_code_is_on_the_strip_and_nowhere_else(petition: Petition, render: Render, length: str) -> None:
    printed = Printed(print_petition(changed(petition, length), paper="A4", render=render))
    width, height = printed.size(0)
    quiet = 3 * MM
    code = code_box(printed, length)
    strip = Box(code.left - quiet, code.bottom - quiet, code.right + quiet, code.top + quiet)
    assert printed.codes(0, strip) == [URL]
    assert printed.codes(0, Box(0, code.top + 2 * MM, width, height)) == []
    cut = printed.find(0, "Cut here")[0]
    assert cut.bottom > code.top + 2 * MM


@pytest.mark.parametrize("length", ["short", "arabic"])
def test_in_a_demonstration_the_mark_lies_across_the_address(petition: Petition, render: Render, length: str) -> None:
    demonstration = replace(changed(petition, length), demonstration=True)
    printed = Printed(print_petition(demonstration, paper="A4", render=render))
    marks = printed.find(0, "DEMONSTRATION") + printed.find(0, "DO NOT SEND")
    address = [printed.find(0, line)[0] for line in petition.addressee_lines]
    assert sum(any(mark.overlaps(line) for mark in marks) for line in address) >= 2


def test_a_petition_that_leaves_no_room_to_sign_is_not_printed(petition: Petition, render: Render) -> None:
    with pytest.raises(PaperError, match="no room to sign"):
        print_petition(
            replace(petition, points=("Set her free, and say so in public.",) * 40), paper="A4", render=render
        )


def test_an_unknown_paper_is_refused(petition: Petition, render: Render) -> None:
    with pytest.raises(ValueError, match="A5"):
        print_petition(petition, paper="A5", render=render)  # type: ignore[arg-type]


def test_a_petition_is_tagged_and_in_our_fonts(petition: Petition, render: Render) -> None:
    printed = Printed(print_petition(petition, paper="Letter", render=render))
    tags = {str(thing.S) for thing in printed.pdf.objects if getattr(thing, "get", None) and thing.get("/S")}
    assert {"/H1", "/Table", "/TH", "/Figure", "/L"} <= tags
    figures = [thing for thing in printed.pdf.objects if getattr(thing, "get", None) and thing.get("/S") == "/Figure"]
    assert [str(figure.Alt) for figure in figures] == ["QR code: count the signatures for Ada Vale"]
    with printed.pdf.open_metadata() as metadata:
        assert (metadata["pdfuaid:part"], metadata["dc:title"]) == ("1", "Petition for Ada Vale")
    assert all(printed.fonts().values())
    assert printed.fonts().keys() <= FAMILIES
