"""Envelopes, address labels and cards, read back from the PDF and measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.letters.conftest import ANA, Write
from tests.letters.reading import MM, Box, Printed
from wfr.cases.models import Case, Kind
from wfr.letters.merging import PersonalLines
from wfr.letters.printing import Render
from wfr.letters.stationery import (
    ENVELOPES,
    LABELS,
    QUARTERS,
    Envelope,
    EnvelopeSize,
    LabelSheet,
    envelope_for,
    print_cards,
    print_envelopes,
    print_labels,
)
from wfr.paper import FAMILIES, PaperError

SHORT = Envelope(
    addressee_lines=("Ada Vale", "PO Box 7", "Lomé", "TOGO"), demonstration=False, language="en", direction="ltr"
)
LONG = replace(
    SHORT,
    addressee_lines=(
        "María del Rosario Fernández de la Vega",
        "Minister of Justice and Human Rights",
        "Avenida de los Libertadores 12345, Piso 17",
        "Colonia San Rafael de las Flores",
        "09120-443 Ciudad de la Vega",
        "ARGENTINA",
    ),
    sender_lines=("Lycée Sankara, classe de troisième", "12 rue du Port", "Lomé", "Togo"),
)
ARABIC = replace(SHORT, addressee_lines=("معالي وزير العدل", "شارع الملك فهد", "SAUDI ARABIA"))
ENDLESS = replace(SHORT, addressee_lines=("Kofi Brook " * 40, *SHORT.addressee_lines))


def label_box(sheet: LabelSheet, number: int, height: float) -> Box:
    """Return where a label lies, in points from the lower left corner of its sheet, which is `height` high."""
    form = LABELS[sheet]
    left, top = form.place(number)
    return Box(left * MM, height - (top + form.height) * MM, (left + form.width) * MM, height - top * MM)


@pytest.mark.parametrize("size", list(ENVELOPES))
@pytest.mark.parametrize("envelope", [SHORT, LONG, ARABIC], ids=["short", "long", "arabic"])
def test_an_address_stands_where_sorters_look(render: Render, size: EnvelopeSize, envelope: Envelope) -> None:
    printed = Printed(print_envelopes([replace(envelope, sender_lines=())], size=size, render=render))
    width, height = printed.size(0)
    form = ENVELOPES[size]
    assert (width, height) == (round(form.width * MM, 1), round(form.height * MM, 1))
    zone = Box(width - 140 * MM, 16 * MM, width - 15 * MM, height - 40 * MM)
    characters = printed.characters(0)
    assert len(characters) > 20
    assert all(character.lies_in(zone) for character in characters)
    assert printed.drawings(0) == 0


@pytest.mark.parametrize("size", list(ENVELOPES))
def test_the_sender_is_read_first_and_leaves_the_stamp_its_place(render: Render, size: EnvelopeSize) -> None:
    printed = Printed(print_envelopes([LONG, SHORT], size=size, render=render))
    assert len(printed.texts) == 2
    assert printed.texts[0].index("12 rue du Port") < printed.texts[0].index("Minister of Justice")
    width, height = printed.size(0)
    sender = printed.find(0, "Lycée Sankara, classe de troisième")[0]
    assert sender.lies_in(Box(10 * MM, height - 20 * MM, width - 74 * MM, height - 8 * MM))
    stamp = Box(width - 74 * MM, height - 40 * MM, width, height)
    assert not any(character.overlaps(stamp) for character in printed.characters(0))


def test_an_envelope_has_the_address_of_the_letter(case: Case, write: Write) -> None:
    envelope = envelope_for(
        case, case.targets[0], language="fr", demonstration=True, sender_lines=["Ana Ribeiro", " ", "Braga "]
    )
    assert envelope.addressee_lines == write().addressee_lines
    assert envelope.sender_lines == ("Ana Ribeiro", "Braga")
    assert (envelope.language, envelope.demonstration) == ("en", True)


@pytest.mark.parametrize("sheet", list(LABELS))
@pytest.mark.parametrize("demonstration", [False, True])
def test_every_label_s_words_stay_on_that_label(render: Render, sheet: LabelSheet, demonstration: bool) -> None:
    count = LABELS[sheet].per_sheet
    labels = [replace((SHORT, LONG, ARABIC)[number % 3], demonstration=demonstration) for number in range(count)]
    labels[0] = labels[-1] = replace(LONG, demonstration=demonstration)
    printed = Printed(print_labels(labels, sheet=sheet, render=render))
    assert len(printed.texts) == 1
    boxes = [label_box(sheet, number, printed.size(0)[1]) for number in range(count)]
    owners = [
        [number for number, box in enumerate(boxes) if character.lies_in(box)] for character in printed.characters(0)
    ]
    assert all(len(owner) == 1 for owner in owners)
    expected = [sum(len("".join(line.split())) for line in label.addressee_lines) for label in labels]
    mark = len("DEMONSTRATIONDONOTSEND") if demonstration else 0
    found = [owners.count([number]) for number in range(count)]
    latin = [number for number, label in enumerate(labels) if label.addressee_direction == "ltr"]
    assert [found[number] for number in latin] == [expected[number] + mark for number in latin]
    assert all(found)


def test_the_sheets_are_as_their_maker_says() -> None:
    for form, (width, height) in ((LABELS["L7160"], (210, 297)), (LABELS["5160"], (215.9, 279.4))):
        left, top = form.place(form.per_sheet - 1)
        assert left + form.width == pytest.approx(width - form.left, abs=0.02)
        assert top + form.height == pytest.approx(height - form.top, abs=0.02)


def test_a_sheet_begun_is_used_up(render: Render) -> None:
    labels = [replace(SHORT, addressee_lines=(f"Number {number}", "TOGO")) for number in range(20)]
    printed = Printed(print_labels(labels, sheet="L7160", skip=5, render=render))
    height = printed.size(0)[1]
    assert len(printed.texts) == 2
    assert printed.find(0, "Number 0")[0].lies_in(label_box("L7160", 5, height))
    assert printed.find(0, "Number 15")[0].lies_in(label_box("L7160", 20, height))
    assert printed.find(1, "Number 16")[0].lies_in(label_box("L7160", 0, height))


def test_a_long_address_is_set_smaller(render: Render) -> None:
    printed = Printed(print_labels([SHORT, LONG], sheet="5160", render=render))
    short, long = printed.find(0, "TOGO")[0], printed.find(0, "ARGENTINA")[0]
    assert short.top - short.bottom > 1.2 * (long.top - long.bottom)


def test_an_address_that_fits_in_no_size_stops_the_print_and_stays_out_of_the_message(render: Render) -> None:
    with pytest.raises(PaperError, match="label-address number 2") as stopped:
        print_labels([SHORT, ENDLESS, SHORT], sheet="L7160", render=render)
    assert "Kofi" not in str(stopped.value)
    with pytest.raises(PaperError, match="envelope-address number 1"):
        print_envelopes([ENDLESS], size="DL", render=render)


def test_the_mark_lies_across_each_address(render: Render) -> None:
    labels = [replace(SHORT, demonstration=demonstration) for demonstration in (True, False, True)]
    printed = Printed(print_labels(labels, sheet="5160", render=render))
    marks, addresses = printed.find(0, "DEMONSTRATION"), printed.find(0, "PO Box 7")
    assert [any(mark.overlaps(address) for mark in marks) for address in addresses] == [True, False, True]


@pytest.mark.parametrize("skip", [-1, 21])
def test_what_there_is_not_is_refused(render: Render, skip: int) -> None:
    with pytest.raises(ValueError, match="21 labels"):
        print_labels([SHORT], sheet="L7160", skip=skip, render=render)
    with pytest.raises(ValueError, match="L9999"):
        print_labels([SHORT], sheet="L9999", render=render)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="B4"):
        print_envelopes([SHORT], size="B4", render=render)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nothing"):
        print_cards([], paper="A4", render=render)


@pytest.mark.parametrize("paper", list(QUARTERS))
def test_four_cards_lie_in_the_four_quarters(write: Write, render: Render, paper: str) -> None:
    cards = [write(PersonalLines(name=f"Ana {number}"), kind=Kind.SOLIDARITY) for number in range(5)]
    printed = Printed(print_cards(cards, paper=paper, render=render))  # type: ignore[arg-type]
    width, height = printed.size(0)
    assert len(printed.texts) == 2
    assert [printed.texts[0].count("Dear Ada,"), printed.texts[1].count("Dear Ada,")] == [4, 1]
    names = [printed.find(0, f"Ana {number}")[0] for number in range(4)]
    assert [(name.left > width / 2, name.top < height / 2) for name in names] == [
        (False, False),
        (True, False),
        (False, True),
        (True, True),
    ]
    margin = 9 * MM
    assert not any(
        abs(character.left - width / 2) < margin or abs(character.bottom - height / 2) < margin
        for character in printed.characters(0)
    )
    picture = printed.picture(0)
    centre = picture.crop(tuple(half + step for step in (-3, 3) for half in (picture.width // 2, picture.height // 2)))  # type: ignore[arg-type]
    assert centre.getextrema()[0] < 100  # type: ignore[operator]


def test_nobody_s_card_has_lines_to_write_on(write: Write, render: Render) -> None:
    signed = Printed(print_cards([write(ANA, kind=Kind.SOLIDARITY)], paper="A4", render=render))
    blank = Printed(print_cards([write(PersonalLines(), kind=Kind.SOLIDARITY)], paper="A4", render=render))
    assert blank.drawings(0) - signed.drawings(0) >= 3
    assert blank.texts[0].index("Your poem is read here.") < blank.texts[0].index("With warm wishes,")
    assert "Ana Ribeiro" not in blank.texts[0]


def test_a_card_in_a_demonstration_says_so(write: Write, render: Render) -> None:
    printed = Printed(print_cards([write(kind=Kind.SOLIDARITY, demonstration=True)] * 2, paper="A4", render=render))
    assert printed.texts[0].count("DO NOT SEND") == 2


def test_words_without_end_fit_no_card(write: Write, render: Render) -> None:
    endless = write(PersonalLines(name="Ana", own_words="We think of you. " * 150), kind=Kind.SOLIDARITY)
    with pytest.raises(PaperError, match="card-words number 1") as stopped:
        print_cards([endless], paper="A4", render=render)
    assert "We think" not in str(stopped.value)


def test_stationery_is_tagged_and_in_our_fonts(write: Write, render: Render) -> None:
    marked = replace(ARABIC, demonstration=True)
    card = write(PersonalLines(name="محمد राधा"), kind=Kind.SOLIDARITY)
    for title, pdf in (
        ("2 envelopes", print_envelopes([LONG, marked], size="C5", render=render)),
        ("Address label", print_labels([marked], sheet="L7160", render=render)),
        ("Card for Ada Vale", print_cards([card], paper="A4", render=render)),
    ):
        printed = Printed(pdf)
        assert printed.pdf.Root.MarkInfo.Marked
        with printed.pdf.open_metadata() as metadata:
            assert (metadata["pdfuaid:part"], metadata["dc:title"]) == ("1", title)
        fonts = printed.fonts()
        assert all(fonts.values())
        assert "Noto Naskh Arabic" in fonts
        assert fonts.keys() <= FAMILIES
