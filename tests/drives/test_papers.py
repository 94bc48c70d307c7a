"""A drive's own paper, read back from the PDF: packing slip, parcel label, certificate."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.letters.conftest import project_render
from tests.letters.reading import MM, Box, Printed
from wfr.drives.papers import (
    Certificate,
    PackingSlip,
    ParcelLabel,
    print_certificate,
    print_packing_slip,
    print_parcel_label,
)
from wfr.letters.printing import Render
from wfr.paper import FAMILIES, PaperError

URL = "https://example.org/schools/report/abcdefghijklmnopqrstuvwxyz0123456789"
LONG = (
    "Escuela Secundaria Técnica Número 12 «María del Rosario Fernández de la Vega y los Pueblos de Tierra Alta», "
    "Grupo B y C"
)
SORTING_ROOM = ("Write for Rights", "The sorting room", "12 Quay Street", "Lomé", "TOGO")

SLIP = PackingSlip(
    drive_name="Lycée Sankara",
    country_name="Togo",
    season_name="Write for Rights 2026",
    lines=(("Ada Vale", 12), ("Omar Sand", None), ("Nadia Reed", 30)),
    report_url=URL,
    collected_at=SORTING_ROOM,
)
LABEL = ParcelLabel(collected_at=SORTING_ROOM, drive_name="Lycée Sankara", country_name="Togo")
CERTIFICATE = Certificate(
    drive_name="Lycée Sankara, Lomé",
    season_name="Write for Rights 2026",
    letters=27,
    cards=0,
    cases=("Ada Vale", "Omar Sand", "Nadia Reed"),
    dated=date(2027, 2, 3),
    site_name="Write for Rights",
    organisation="the office in Lomé",
)
NAMES = {
    "short": "Ox",
    "long": LONG,
    "arabic": "مدرسة النور الثانوية للبنات في عمان",
    "devanagari": "राजकीय विद्यालय, नई दिल्ली",
}


@pytest.fixture(scope="module")
def render() -> Render:
    """Render a template of the project, as the web app does."""
    return project_render()


def words_in(printed: Printed, page: int = 0) -> str:
    """Return what a page says, on one line."""
    return " ".join(printed.texts[page].split())


def assert_in_order(text: str, *parts: str) -> None:
    for part in parts:
        assert part in text, part
        text = text.partition(part)[2]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_packing_slip_says_how_to_pack_and_what_to_count(render: Render, paper: str) -> None:
    printed = Printed(print_packing_slip(SLIP, paper=paper, render=render))  # type: ignore[arg-type]
    assert len(printed.texts) == 1
    assert_in_order(
        words_in(printed),
        *(
            "PACKING SLIP",
            "Lycée Sankara",
            "Togo",
            "HOW TO PACK",
            "Sort by case.",
            "Count each pile",
            "close the parcel",
        ),
        *("COUNT WHAT IS IN THIS PARCEL", "EXPECTED", "LETTERS", "CARDS", "Ada Vale 12", "Omar Sand Nadia Reed 30"),
        *("Together 42", "SEND THE PARCEL TO", "The sorting room", "TOGO"),
    )
    assert printed.codes(0) == [URL]


def test_without_a_collecting_address_the_slip_is_for_the_class_s_own_count(render: Render) -> None:
    lines = tuple((name, None) for name, _expected in SLIP.lines)
    slip = replace(SLIP, collected_at=(), lines=lines)
    printed = Printed(print_packing_slip(slip, paper="A4", render=render))
    text = words_in(printed)
    assert_in_order(text, "COUNTING SLIP", "HOW TO COUNT", "straight to its addressee", "SAY WHAT YOU HAVE COUNTED")
    assert "parcel" not in text.lower()
    assert "EXPECTED" not in text
    assert printed.codes(0) == [URL]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_ten_cases_and_a_long_name_fit_one_slip(render: Render, paper: str) -> None:
    slip = replace(SLIP, drive_name=LONG, lines=((LONG[:70], 3),) * 10, collected_at=())
    printed = Printed(print_packing_slip(slip, paper=paper, render=render))  # type: ignore[arg-type]
    assert len(printed.texts) == 1


def test_in_a_demonstration_the_mark_lies_across_the_collecting_address(render: Render) -> None:
    slip = print_packing_slip(replace(SLIP, demonstration=True), paper="A4", render=render)
    label = print_parcel_label(replace(LABEL, demonstration=True), paper="A4", render=render)
    for printed in (Printed(slip), Printed(label)):
        marks = printed.find(0, "DEMONSTRATION") + printed.find(0, "DO NOT SEND")
        lines = [printed.find(0, line)[-1] for line in SORTING_ROOM]
        assert sum(any(mark.overlaps(line) for mark in marks) for line in lines) >= 2


def test_each_parcel_has_its_label_and_two_share_a_sheet(render: Render) -> None:
    printed = Printed(print_parcel_label(replace(LABEL, parcels=3), paper="A4", render=render))
    assert [text.count("TOGO") for text in printed.texts] == [2, 1]
    assert_in_order(words_in(printed), "FROM", "Lycée Sankara", "PARCEL 1 OF 3", "12 Quay Street", "PARCEL 2 OF 3")
    assert "PARCEL 3 OF 3" in printed.texts[1]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("name", ["short", "long", "arabic"])
def test_the_address_of_a_parcel_is_read_from_two_metres(render: Render, paper: str, name: str) -> None:
    label = replace(LABEL, drive_name=NAMES[name])
    printed = Printed(print_parcel_label(label, paper=paper, render=render))  # type: ignore[arg-type]
    width, height = printed.size(0)
    country = printed.find(0, "TOGO")[0]
    assert country.top - country.bottom >= 6 * MM
    half = Box(12 * MM, height / 2 + 10 * MM, width - 12 * MM, height - 10 * MM)
    assert all(character.lies_in(half) for character in printed.characters(0))
    assert "PARCEL OF" in words_in(printed)


def test_an_address_too_long_for_a_parcel_is_not_printed(render: Render) -> None:
    with pytest.raises(PaperError, match="parcel-address"):
        print_parcel_label(replace(LABEL, collected_at=(LONG,) * 5), paper="A4", render=render)
    with pytest.raises(ValueError, match="no address"):
        print_parcel_label(replace(LABEL, collected_at=()), paper="A4", render=render)


@pytest.mark.parametrize(
    ("letters", "cards", "said"),
    [
        (27, 0, "27 LETTERS, COUNTED THANK YOU"),
        (1, 0, "1 LETTER, COUNTED THANK YOU"),
        (1234, 1, "1,234 LETTERS, COUNTED AND 1 CARD THANK YOU"),
        (2, 14, "2 LETTERS, COUNTED AND 14 CARDS THANK YOU"),
        (0, 1, "1 CARD, COUNTED THANK YOU"),
        (0, 1200, "1,200 CARDS, COUNTED THANK YOU"),
    ],
)
def test_a_certificate_says_what_was_counted(render: Render, letters: int, cards: int, said: str) -> None:
    certificate = replace(CERTIFICATE, letters=letters, cards=cards)
    text = words_in(Printed(print_certificate(certificate, paper="A4", render=render)))
    assert_in_order(text, "WRITE FOR RIGHTS 2026", said, "Lycée Sankara, Lomé", "Ada Vale, Omar Sand and Nadia Reed")
    assert "Counted by the office in Lomé, 3 February 2027" in text
    assert "free" not in text.lower()


@pytest.mark.parametrize(("paper", "size"), [("A4", (841.9, 595.3)), ("Letter", (792.0, 612.0))])
@pytest.mark.parametrize("name", list(NAMES))
def test_any_name_hangs_in_its_frame(render: Render, paper: str, size: tuple[float, float], name: str) -> None:
    certificate = replace(CERTIFICATE, drive_name=NAMES[name], letters=1234, cards=14, cases=(LONG[:70],) * 6)
    printed = Printed(print_certificate(certificate, paper=paper, render=render))  # type: ignore[arg-type]
    assert len(printed.texts) == 1
    assert printed.size(0) == size
    frame = Box(28 * MM, 18 * MM, size[0] - 28 * MM, size[1] - 24 * MM)
    assert all(character.lies_in(frame) for character in printed.characters(0))
    words, foot = printed.find(0, "Fernández")[-1], printed.find(0, "Counted by")[0]
    assert words.bottom - foot.top > 6 * MM
    scripts = {"arabic": "Noto Naskh Arabic", "devanagari": "Noto Serif Devanagari"}
    fonts = printed.fonts()
    assert fonts.keys() == {"Barlow Condensed", "Source Serif 4", *filter(None, [scripts.get(name)])}
    assert all(fonts.values())


def test_a_certificate_in_arabic_runs_from_the_right(render: Render) -> None:
    certificate = replace(CERTIFICATE, language="ar", drive_name=NAMES["arabic"])
    printed = Printed(print_certificate(certificate, paper="A4", render=render))
    assert printed.find(0, "27")[0].left > printed.size(0)[0] / 2


def test_nothing_counted_is_nothing_to_certify(render: Render) -> None:
    with pytest.raises(ValueError, match="nothing was counted"):
        print_certificate(replace(CERTIFICATE, letters=0), paper="A4", render=render)
    with pytest.raises(ValueError, match="A3"):
        print_certificate(CERTIFICATE, paper="A3", render=render)  # type: ignore[arg-type]


def test_a_drive_s_paper_is_tagged_and_in_our_fonts(render: Render) -> None:
    for title, pdf in (
        ("Packing slip of Lycée Sankara", print_packing_slip(SLIP, paper="A4", render=render)),
        ("Parcel label of Lycée Sankara", print_parcel_label(LABEL, paper="A4", render=render)),
        ("Certificate for Lycée Sankara, Lomé", print_certificate(CERTIFICATE, paper="A4", render=render)),
    ):
        printed = Printed(pdf)
        assert printed.pdf.Root.MarkInfo.Marked
        assert printed.pdf.Root.StructTreeRoot.K
        with printed.pdf.open_metadata() as metadata:
            assert (metadata["pdfuaid:part"], metadata["dc:title"]) == ("1", title)
        assert all(printed.fonts().values())
        assert printed.fonts().keys() <= FAMILIES
