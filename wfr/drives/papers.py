"""A drive's own paper: the slip and the label of its parcel, and the certificate afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal
from flask_babel import gettext, ngettext
from markupsafe import Markup

from wfr.letters.addressing import language_direction, text_direction, written_date
from wfr.letters.printing import PAPERS, Paper, Render, document_html, qr_code
from wfr.letters.sizing import Fit, Room, fit
from wfr.paper import render_pdf

STYLESHEET = "css/drive-papers.css"

_LABEL_ROOM: dict[Paper, tuple[float, float]] = {"A4": (172, 74), "Letter": (177, 65)}
_LABEL_SIZES = (46, 42, 38, 34, 30, 27, 24, 21)
"""Capitals of 24 points are 6 mm high, which is read from two metres without effort."""

_NAME_SIZES = (76, 66, 56, 48, 42, 36, 31, 27, 23)
_CASES_SIZES = (17, 15.5, 14, 12.5, 11, 9.5, 8.5)
_BESIDE_FIGURE: dict[Paper, float] = {"A4": 144, "Letter": 126}
"""How wide (mm) the words of a certificate are."""


@dataclass(frozen=True, slots=True)
class PackingSlip:
    """What lies on top of a class's parcel. `lines` are the cases, each with the letters expected, where known.

    `report_url` is where the class says what it counted. Without a collecting address (`collected_at`) there is no
    parcel: letters go straight to their addressees, and the slip is for the class's own count.
    """

    drive_name: str
    country_name: str
    season_name: str
    lines: tuple[tuple[str, int | None], ...]
    report_url: str
    collected_at: tuple[str, ...] = ()
    demonstration: bool = False
    language: str = "en"

    @property
    def addressee_lines(self) -> tuple[str, ...]:
        """Where the parcel goes."""
        return self.collected_at

    @property
    def addressee_direction(self) -> str:
        """``ltr`` or ``rtl``, by the script of the address."""
        return text_direction(self.collected_at)

    @property
    def expected(self) -> int:
        """How many letters are expected of all cases together, as far as it is known."""
        return sum(letters or 0 for _case_name, letters in self.lines)

    @property
    def code(self) -> Markup:
        """The address to report at as a QR code."""
        return qr_code(self.report_url, gettext("QR code: say what you counted"))


@dataclass(frozen=True, slots=True)
class ParcelLabel:
    """The address of a parcel. `parcels` is how many there are; None leaves the number to be written by hand."""

    collected_at: tuple[str, ...]
    drive_name: str
    country_name: str
    parcels: int | None = None
    demonstration: bool = False
    language: str = "en"

    @property
    def addressee_lines(self) -> tuple[str, ...]:
        """Where the parcel goes."""
        return self.collected_at

    @property
    def addressee_direction(self) -> str:
        """``ltr`` or ``rtl``, by the script of the address."""
        return text_direction(self.collected_at)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a class hangs in the corridor: numbers that somebody has counted, never what was only pledged."""

    drive_name: str
    season_name: str
    letters: int
    cards: int
    cases: tuple[str, ...]
    dated: date
    site_name: str
    organisation: str
    language: str = "en"


class Words(NamedTuple):
    """A text that is fitted by itself, and its own direction."""

    text: str
    direction: str


class Fitted(NamedTuple):
    """A text and the size it got."""

    words: Words
    fit: Fit


def print_packing_slip(slip: PackingSlip, *, paper: Paper, render: Render) -> bytes:
    """Print the sort-by-case slip; return the PDF.

    Raises `wfr.paper.PaperError` when it would not come out right, `ValueError` for an unknown paper.
    """
    title = gettext("Packing slip of %(drive)s", drive=slip.drive_name)
    values = {"slip": slip, "expecting": any(letters is not None for _case_name, letters in slip.lines)}
    html = document_html("paper/packing_slip.html", title, slip.language, paper, render, **values)
    return render_pdf(html, stylesheet=STYLESHEET)


def print_parcel_label(label: ParcelLabel, *, paper: Paper, render: Render) -> bytes:
    """Print a label for each parcel, two to a sheet; return the PDF.

    Raises `wfr.paper.PaperError` when the address is too long to be read from two metres, `ValueError` for an unknown
    paper or where there is no address to collect at.
    """
    if not label.collected_at or paper not in PAPERS:
        raise ValueError(f"no address to collect at, or unknown paper {paper!r}")
    room = Room("paper/_addressee.html", "parcel-address", STYLESHEET, *_LABEL_ROOM[paper], _LABEL_SIZES)
    (got,) = fit([label], room, language=label.language, render=render)
    numbers: list[int | None] = list(range(1, label.parcels + 1)) if label.parcels else [None]
    sheets = [numbers[start : start + 2] for start in range(0, len(numbers), 2)]
    sender = Room("paper/_words.html", "parcel-drive", STYLESHEET, 106, 14, (16, 14, 12, 10.5, 9))
    drive = _fitted(label.drive_name, sender, language=label.language, render=render)
    values = {"label": label, "fit": got, "room": room, "sheets": sheets, "drive": drive}
    title = gettext("Parcel label of %(drive)s", drive=label.drive_name)
    html = document_html("paper/parcel_label.html", title, label.language, paper, render, **values)
    return render_pdf(html, stylesheet=STYLESHEET)


def print_certificate(certificate: Certificate, *, paper: Paper, render: Render) -> bytes:
    """Print a certificate, one sheet across; return the PDF.

    Raises `wfr.paper.PaperError` when a name is too long for it, `ValueError` for an unknown paper or where nothing
    was counted.
    """
    if certificate.letters + certificate.cards < 1:
        raise ValueError("nothing was counted: there is nothing to certify")
    if paper not in PAPERS:
        raise ValueError(f"unknown paper {paper!r}")
    # As everywhere on the site, plain English is British: no comma before the last name.
    locale = Locale.parse("en-GB" if certificate.language == "en" else certificate.language, sep="-")
    figure = format_decimal(certificate.letters or certificate.cards, locale=locale)
    width, language = _BESIDE_FIGURE[paper], certificate.language
    name = Room("paper/_words.html", "certificate-name", STYLESHEET, width, 50, _NAME_SIZES)
    cases = Room("paper/_words.html", "certificate-cases", STYLESHEET, width, 26, _CASES_SIZES)
    values = {
        "certificate": certificate,
        "figure": figure,
        "figure_size": min(215, round(478 / len(figure))),
        "counted": _counted(certificate),
        "cards_too": _cards_too(certificate, locale),
        "drive": _fitted(certificate.drive_name, name, language=language, render=render),
        "cases": _fitted(format_list(certificate.cases, locale=locale), cases, language=language, render=render),
        "day": written_date(certificate.dated, certificate.language),
        "width": width,
    }
    title = gettext("Certificate for %(drive)s", drive=certificate.drive_name)
    html = document_html("paper/certificate.html", title, certificate.language, paper, render, **values)
    return render_pdf(html, stylesheet=STYLESHEET)


def _fitted(text: str, room: Room, *, language: str, render: Render) -> Fitted:
    words = Words(text, text_direction((text,)) if text else language_direction(language))
    (got,) = fit([words], room, language=language, render=render)
    return Fitted(words, got)


def _counted(certificate: Certificate) -> str:
    if certificate.letters:
        return str(ngettext("letter, counted", "letters, counted", certificate.letters))
    return str(ngettext("card, counted", "cards, counted", certificate.cards))


def _cards_too(certificate: Certificate, locale: Locale) -> str:
    if not (certificate.letters and certificate.cards):
        return ""
    number = format_decimal(certificate.cards, locale=locale)
    return str(ngettext("and %(number)s card", "and %(number)s cards", certificate.cards, number=number))
