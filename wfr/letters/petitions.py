"""Petitions: a sheet to collect signatures on, and the strip at its foot by which they are counted."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext
from markupsafe import Markup

from wfr.cases.models import Case, Target
from wfr.letters.addressing import addressee_lines, language_direction, text_direction
from wfr.letters.printing import Paper, Render, document_html, points_of, qr_code
from wfr.paper import PaperError, heights, render_pdf
from wfr.text import without_sources

STYLESHEET = "css/stationery.css"

ROW_HEIGHT = 9.5
"""How high (mm) a row to sign in is at least."""

GOOD_ROWS, FEWEST_ROWS = 12, 6
"""What is asked is set smaller to make room for the first; with less than the second there is no sheet."""

SIZES = (11.0, 10.0, 9.0)
"""What is asked is set in one of these (points)."""

_ROOM: dict[Paper, float] = {"A4": 297 - 26, "Letter": 279.4 - 24}
"""What lies between the upper and the lower margin of the sheet (mm); the margins stand in the stylesheet."""


@dataclass(frozen=True, slots=True)
class Petition:
    """What is asked of whom for one case. `points` are plain text.

    `url` leads the person who collects to counting the signatures; it stays with that person.
    """

    case_name: str
    headline: str
    addressee_lines: tuple[str, ...]
    points: tuple[str, ...]
    url: str
    demonstration: bool
    language: str
    direction: str

    @property
    def addressee_direction(self) -> str:
        """``ltr`` or ``rtl``, by the script of the address."""
        return text_direction(self.addressee_lines)

    @property
    def code(self) -> Markup:
        """The address to count at as a QR code."""
        return qr_code(self.url, gettext("QR code: count the signatures for %(person)s", person=self.case_name))


def petition_for(case: Case, target: Target, *, url: str, language: str, demonstration: bool) -> Petition:
    """Return the petition for `case` to `target`: it asks what the case asks.

    `url` is where its signatures are counted. Raises `LookupError` for a case without words.
    """
    text = case.text(language)
    return Petition(
        case_name=case.name,
        headline=without_sources(text.headline),
        addressee_lines=addressee_lines(target, text.language),
        points=points_of(without_sources(text.ask)),
        url=url,
        demonstration=demonstration,
        language=text.language,
        direction=language_direction(text.language),
    )


def print_petition(petition: Petition, *, paper: Paper, render: Render) -> bytes:
    """Print one sheet with as many numbered rows as it has room for; return the PDF.

    The code stands on a strip that is cut off: nothing on what the official receives leads to the count.
    Raises `wfr.paper.PaperError` when what is asked leaves no room to sign, `ValueError` for an unknown paper.
    """
    title = gettext("Petition for %(person)s", person=petition.case_name)

    def sheet(size: float, rows: int = 0, row_height: float = 0) -> str:
        values = {"petition": petition, "size": size, "rows": rows, "row_height": row_height}
        return document_html("paper/petition.html", title, petition.language, paper, render, **values)

    size, room = SIZES[0], 0.0
    for size in SIZES:
        taken = heights(sheet(size), stylesheet=STYLESHEET)
        room = _ROOM[paper] - sum(taken[part] for part in ("petition-head", "petition-rows", "petition-strip"))
        if room >= GOOD_ROWS * ROW_HEIGHT:
            break
    rows = int(room / ROW_HEIGHT)
    if rows < FEWEST_ROWS:
        raise PaperError(f"What the petition for {petition.case_name} asks leaves no room to sign")
    # A hair less, so that rounding never drives the strip to a second sheet.
    return render_pdf(sheet(size, rows, room / rows - 0.02), stylesheet=STYLESHEET)
