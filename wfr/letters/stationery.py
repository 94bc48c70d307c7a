"""Stationery: envelopes, sheets of address labels, and solidarity cards four to a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from flask_babel import ngettext

from wfr.cases.models import Case, Target
from wfr.letters.addressing import addressee_lines, filled, language_direction, text_direction
from wfr.letters.merging import Letter
from wfr.letters.printing import Paper, Render, document_html
from wfr.letters.sizing import Fit, Room, fit
from wfr.paper import render_pdf

EnvelopeSize = Literal["DL", "C5", "10"]
LabelSheet = Literal["L7160", "5160"]
T = TypeVar("T")

STYLESHEET = "css/stationery.css"


class EnvelopeForm(NamedTuple):
    """An envelope and the zone of its address; lengths in mm, the zone's from the upper left corner."""

    width: float
    height: float
    left: float
    top: float
    room: tuple[float, float]


ENVELOPES: dict[EnvelopeSize, EnvelopeForm] = {
    "DL": EnvelopeForm(220, 110, left=106, top=45, room=(98, 48)),
    "C5": EnvelopeForm(229, 162, left=115, top=84, room=(98, 61)),
    "10": EnvelopeForm(241.3, 104.8, left=126, top=42, room=(99, 46)),
}
"""Sorters read below the 40 mm of stamp and sender, within 140 mm of the right edge, and leave 15 mm free at the
right and 16 mm at the foot for their own code. The address stands inside all of these, whichever post it is."""

SENDER_LEFT, SENDER_TOP = 14.0, 11.0


class LabelForm(NamedTuple):
    """A sheet of labels as its maker documents it: counts, the first label's corner, steps and sizes (mm)."""

    paper: Paper
    columns: int
    rows: int
    left: float
    top: float
    across: float
    down: float
    width: float
    height: float

    @property
    def per_sheet(self) -> int:
        """How many labels a sheet has."""
        return self.columns * self.rows

    def place(self, number: int) -> tuple[float, float]:
        """Return the upper left corner of a label, in mm from that of the sheet; labels count from 0, row by row."""
        row, column = divmod(number, self.columns)
        return round(self.left + column * self.across, 4), round(self.top + row * self.down, 4)


LABELS: dict[LabelSheet, LabelForm] = {
    "L7160": LabelForm("A4", 3, 7, left=7.21, top=15.15, across=66.04, down=38.1, width=63.5, height=38.1),
    "5160": LabelForm("Letter", 3, 10, left=4.7625, top=12.7, across=69.85, down=25.4, width=66.675, height=25.4),
}
"""Avery's own templates; 5160 is 3/16 in, 1/2 in, 2 3/4 in, 1 in, 2 5/8 in by 1 in."""

LABEL_EDGE = (4.0, 1.7)
"""What stays free inside a label at its sides and at top and foot (mm): sheets shift in the printer."""

QUARTERS: dict[Paper, tuple[float, float]] = {"A4": (105, 148.5), "Letter": (107.95, 139.7)}
"""A card's width and height (mm): two cuts through the middle part a sheet into four."""

CARD_EDGE = 11.0
CARD_HEAD = 19.0
RULED_LINE = 9.0
"""How high (mm) a line to write on by hand is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What stands on an envelope or on its label. `sender_lines` may be empty; a label leaves them out."""

    addressee_lines: tuple[str, ...]
    sender_lines: tuple[str, ...] = ()
    demonstration: bool
    language: str
    direction: str

    @property
    def addressee_direction(self) -> str:
        """``ltr`` or ``rtl``, by the script of the address."""
        return text_direction(self.addressee_lines)

    @property
    def sender_direction(self) -> str:
        """``ltr`` or ``rtl``, by the sender's own script."""
        return text_direction(self.sender_lines)


class LabelPlace(NamedTuple):
    """One label on its sheet: its corner (mm) and the size its address is set in."""

    corner: tuple[float, float]
    envelope: Envelope
    fit: Fit


class Card(NamedTuple):
    """One card on its sheet; `lines` are ruled for handwriting where nobody's name is printed."""

    letter: Letter
    fit: Fit
    lines: int


def envelope_for(
    case: Case, target: Target, *, language: str, demonstration: bool, sender_lines: Sequence[str] = ()
) -> Envelope:
    """Return the envelope of a letter about `case` to `target`; raises `LookupError` for a case without words."""
    spoken = case.text(language).language
    return Envelope(
        addressee_lines=addressee_lines(target, spoken),
        sender_lines=filled(*sender_lines),
        demonstration=demonstration,
        language=spoken,
        direction=language_direction(spoken),
    )


def print_envelopes(envelopes: Sequence[Envelope], *, size: EnvelopeSize, render: Render) -> bytes:
    """Print envelopes, each a page of its true size; return the PDF.

    Where the stamp goes nothing is printed: a frame would show beside every stamp that is smaller than it.
    Raises `wfr.paper.PaperError` when an address is too long for its zone, `ValueError` for an unknown size or no
    envelope.
    """
    if size not in ENVELOPES:
        raise ValueError(f"unknown envelope {size!r}")
    first = _first(envelopes)
    form = ENVELOPES[size]
    address = Room("paper/_addressee.html", "envelope-address", STYLESHEET, *form.room, (13, 12, 11, 10, 9))
    sender = Room("paper/_sender.html", "envelope-sender", STYLESHEET, form.width - 100, 29, (10, 9, 8))
    addresses = fit(envelopes, address, language=first.language, render=render)
    senders = fit(envelopes, sender, language=first.language, render=render)
    html = render(
        "paper/envelopes.html",
        title=ngettext("Envelope", "%(num)d envelopes", len(envelopes)),
        language=first.language,
        direction=first.direction,
        paper=size,
        form=form,
        corner=(SENDER_LEFT, SENDER_TOP, sender.width),
        faces=list(zip(envelopes, addresses, senders, strict=True)),
    )
    return render_pdf(html, stylesheet=STYLESHEET)


def print_labels(labels: Sequence[Envelope], *, sheet: LabelSheet, skip: int = 0, render: Render) -> bytes:
    """Print address labels; return the PDF. The first `skip` labels of the first sheet have gone already.

    Raises `wfr.paper.PaperError` when an address is too long for a label, `ValueError` for an unknown sheet, for
    `skip` beyond one sheet, or no label.
    """
    if sheet not in LABELS:
        raise ValueError(f"unknown sheet of labels {sheet!r}")
    form = LABELS[sheet]
    if not 0 <= skip < form.per_sheet:
        raise ValueError(f"a sheet of {sheet} has {form.per_sheet} labels: cannot skip {skip}")
    first = _first(labels)
    width, height = form.width - 2 * LABEL_EDGE[0], form.height - 2 * LABEL_EDGE[1]
    room = Room("paper/_addressee.html", "label-address", STYLESHEET, width, height, (12, 11, 10, 9, 8, 7))
    fits = fit(labels, room, language=first.language, render=render)
    places = [
        LabelPlace(form.place(number % form.per_sheet), label, got)
        for number, (label, got) in enumerate(zip(labels, fits, strict=True), skip)
    ]
    values = {"sheets": _in_sheets(places, form.per_sheet, skip), "form": form, "width": width, "edge": LABEL_EDGE}
    title = ngettext("Address label", "%(num)d address labels", len(labels))
    html = document_html("paper/labels.html", title, first.language, form.paper, render, **values)
    return render_pdf(html, stylesheet=STYLESHEET)


def print_cards(letters: Sequence[Letter], *, paper: Paper, render: Render) -> bytes:
    """Print solidarity cards, four to a sheet that two cuts part; return the PDF.

    A card without a signature has lines for somebody's own words and name, by hand.
    Raises `wfr.paper.PaperError` when the words are too long for a card, `ValueError` for an unknown paper or no card.
    """
    first = _first(letters)
    if paper not in QUARTERS:
        raise ValueError(f"unknown paper {paper!r}")
    width, height = QUARTERS[paper]
    size = (width - 2 * CARD_EDGE, height - CARD_HEAD - CARD_EDGE)
    room = Room("paper/_card_words.html", "card-words", STYLESHEET, *size, (14, 13, 12, 11, 10, 9))
    fits = fit(letters, room, language=first.language, render=render)
    cards = [Card(letter, got, _ruled(letter, room, got)) for letter, got in zip(letters, fits, strict=True)]
    title = ngettext("Card for %(person)s", "%(num)d cards", len(letters), person=first.case_name)
    values = {"sheets": _in_sheets(cards, 4), "quarter": (width, height), "room": room, "top": CARD_HEAD}
    html = document_html("paper/cards.html", title, first.language, paper, render, **values)
    return render_pdf(html, stylesheet=STYLESHEET)


def _first(things: Sequence[T]) -> T:
    if not things:
        raise ValueError("there is nothing to print")
    return things[0]


def _in_sheets(things: Sequence[T], count: int, skip: int = 0) -> Iterator[Sequence[T]]:
    yield things[: count - skip]
    for start in range(count - skip, len(things), count):
        yield things[start : start + count]


def _ruled(letter: Letter, room: Room, got: Fit) -> int:
    # The measured words already hold two lines: one for own words, one for the name.
    return 0 if letter.signature else min(5, 1 + int((room.height - got.height) / RULED_LINE))
