"""A letter's address stands where the window of its envelope shows it, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.letters.conftest import ANA, Write
from tests.letters.reading import Printed
from wfr.cases.models import Case, CaseText
from wfr.letters.merging import Letter, PersonalLines
from wfr.letters.printing import Paper, Render, print_letters

POINT_MM = 25.4 / 72
DARK = 190


@dataclass(frozen=True)
class Window:
    """What an envelope shows of a sheet (mm from its upper left corner), and where the sheet is folded."""

    height: float
    left: float
    top: float
    right: float
    bottom: float
    folds: tuple[float, float]


# DIN 5008 form B; a #10 envelope with the fold at its bottom, see static/css/paper.css.
WINDOWS: dict[Paper, Window] = {
    "A4": Window(297, 20, 45, 105, 90, (105, 210)),
    "Letter": Window(279.4, 22.2, 51.8, 111, 80.4, (93.1, 186.3)),
}
SENDERS = {
    "nobody": PersonalLines(),
    "usual": ANA,
    "five lines": PersonalLines(name="Ana", address="Flat 2\nThe Old Bakery\n12 Long Street\nBT1 2AB Town\nSomewhere"),
    "five long lines": PersonalLines(
        name="María del Rosario Fernández de la Vega and the People of Tierra Alta",
        address="\n".join(["The Very Old Bakery in the Northern Quarter of Town"] * 5),
    ),
    "many lines": PersonalLines(name="W" * 60, address="\n".join(f"Line {number} of many" for number in range(18))),
}


def in_window(printed: Printed, paper: Paper) -> set[str]:
    """Return the lines of the first page of which any part lies behind the window."""
    window = WINDOWS[paper]
    shown = set()
    for line in printed.texts[0].splitlines():
        for box in printed.find(0, line):
            top, bottom = (window.height - edge * POINT_MM for edge in (box.top, box.bottom))
            across = box.left * POINT_MM < window.right and box.right * POINT_MM > window.left
            if across and bottom > window.top and top < window.bottom:
                shown.add(line)
                inside = box.left * POINT_MM >= window.left and box.right * POINT_MM <= window.right
                assert inside and top >= window.top and bottom <= window.bottom, f"{line} is cut off"
    return shown


@pytest.mark.parametrize("paper", WINDOWS)
@pytest.mark.parametrize("sender", SENDERS)
def test_the_window_shows_the_address_and_nothing_else(write: Write, render: Render, sender: str, paper: Paper) -> None:
    letter = write(SENDERS[sender])
    printed = Printed(print_letters([letter], paper=paper, render=render))
    assert in_window(printed, paper) == set(letter.addressee_lines)


@pytest.mark.parametrize("paper", WINDOWS)
def test_a_long_address_stays_in_the_window(write: Write, render: Render, case: Case, paper: Paper) -> None:
    case.targets[0].address_lines = ["Ministry of Rivers and Lakes", "House 7", "12 Quay Street", "Old Port", "Lomé"]
    letter = write()
    assert letter.address_is_long
    printed = Printed(print_letters([letter], paper=paper, render=render))
    assert in_window(printed, paper) == set(letter.addressee_lines)


def test_a_letter_from_the_right_has_its_address_on_the_left(write: Write, render: Render, case: Case) -> None:
    case.texts.append(CaseText(language="ar", letter="م", letter_close="م", email_subject="م"))
    letter: Letter = write(PersonalLines(), language="ar")
    assert letter.direction == "rtl"
    printed = Printed(print_letters([letter], paper="A4", render=render))
    assert in_window(printed, "A4") == set(letter.addressee_lines)


@pytest.mark.parametrize("paper", WINDOWS)
def test_the_folds_are_marked_at_the_left_edge_of_each_sheet(write: Write, render: Render, paper: Paper) -> None:
    printed = Printed(print_letters([write(), write()], paper=paper, render=render))
    scale = 8
    for page in (0, 1):
        picture = printed.picture(page, scale)
        column = int(6 / POINT_MM * scale)
        dark = [y for y in range(picture.height) if picture.getpixel((column, y)) < DARK]  # type: ignore[operator]
        marks = sorted({round(y / scale * POINT_MM, 0) for y in dark})
        assert marks == pytest.approx([round(fold, 0) for fold in WINDOWS[paper].folds], abs=1)


def test_the_fold_marks_are_told_to_nobody(write: Write, render: Render) -> None:
    pdf = Printed(print_letters([write()], paper="A4", render=render)).pdf
    told = [thing for thing in pdf.objects if getattr(thing, "get", None) and thing.get("/S") == "/Figure"]
    assert told == []
