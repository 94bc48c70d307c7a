"""Posters: one case, its stamp as large as the paper allows, and where to write for the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from flask_babel import gettext, ngettext
from markupsafe import Markup

from wfr.cases.models import Case
from wfr.letters.addressing import language_direction
from wfr.letters.paper_stamps import PaperStamp, paper_stamp
from wfr.letters.printing import Render, qr_code
from wfr.paper import render_pdf

STYLESHEET = "css/posters.css"

PosterPaper = Literal["A3", "A4", "Letter", "Tabloid"]
POSTER_PAPERS = frozenset({"A3", "A4", "Letter", "Tabloid"})

_HEADLINE_SIZES = (("l", 45), ("m", 90))


@dataclass(frozen=True, slots=True)
class Poster:
    """A poster for one case. `url` is where the code leads; `code` is a school drive's, to type in at its host."""

    stamp: PaperStamp
    headline: str
    url: str
    code: str | None
    language: str
    direction: str

    @property
    def qr(self) -> Markup:
        """The address as a QR code, described."""
        return qr_code(self.url, gettext("QR code: write for %(person)s", person=self.stamp.name))

    @property
    def address(self) -> str:
        """The address as people type it: without ``https://``."""
        return self.url.partition("://")[2].rstrip("/")

    @property
    def headline_size(self) -> str:
        """Return the size class of the headline (l, m, s): it may have 200 characters, and has the same room."""
        return next((size for size, most in _HEADLINE_SIZES if len(self.headline) <= most), "s")

    @property
    def join_address(self) -> str:
        """Where a drive's code is typed in, without the code."""
        return f"{urlsplit(self.url).netloc}/join"


def poster_for(case: Case, *, url: str, language: str, code: str | None = None) -> Poster:
    """Return the poster of `case`; raises `LookupError` for a case without words, `ValueError` for a partial `url`."""
    if not urlsplit(url).netloc:
        raise ValueError(f"a poster needs a whole address, not {url!r}")
    text = case.text(language)
    return Poster(
        stamp=paper_stamp(case, text.language),
        headline=text.headline,
        url=url,
        code=code,
        language=text.language,
        direction=language_direction(text.language),
    )


def print_posters(posters: Sequence[Poster], *, paper: PosterPaper, render: Render) -> bytes:
    """Print each poster on a page of its own; return the PDF.

    Raises `wfr.paper.PaperError` when a sheet would not come out right, `ValueError` for an unknown paper or no
    poster.
    """
    if not posters:
        raise ValueError("there is no poster to print")
    if paper not in POSTER_PAPERS:
        raise ValueError(f"unknown paper {paper!r}")
    first = posters[0]
    title = ngettext("Write for %(person)s", "%(num)d posters", len(posters), person=first.stamp.name)
    about = {"title": title, "language": first.language, "direction": first.direction}
    return render_pdf(render("paper/posters.html", **about, paper=paper, posters=posters), stylesheet=STYLESHEET)
