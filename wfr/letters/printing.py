"""Printing: letters, cards and handwriting sheets become PDF files.

The words come from `wfr.letters.merging`, the sheets from `templates/paper/`, the PDF from `wfr.paper`.
Templates are rendered by a function that the caller gives, in the web app `flask.render_template`: nothing
here knows Flask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import segno
from flask_babel import gettext, ngettext
from markupsafe import Markup

from wfr.cases.models import Case, Target
from wfr.letters.addressing import addressee_lines, language_direction, text_direction
from wfr.letters.merging import Letter
from wfr.paper import render_pdf
from wfr.text import without_sources

Paper = Literal["A4", "Letter"]
Render = Callable[..., str]
"""Renders the template of the given name with the given values, as `flask.render_template` does."""

STYLESHEET = "css/paper.css"
PAPERS = frozenset({"A4", "Letter"})

_LIST_ITEM = re.compile(r"[-*•]\s+(.+)")


@dataclass(frozen=True, slots=True)
class Slip:
    """What a person keeps of a letter: the case, how to post it, and the address that says it is posted."""

    case_name: str
    url: str
    hints: tuple[str, ...] = ()

    @property
    def code(self) -> Markup:
        """The address as a QR code: an inline SVG with a description for people who cannot see it."""
        return qr_code(self.url, gettext("QR code: I have posted my letter for %(person)s", person=self.case_name))


@dataclass(frozen=True, slots=True)
class HandwritingEntry:
    """What somebody who writes by hand needs for a case. `key_points` are what to ask for, in plain words."""

    case_name: str
    addressee_lines: tuple[str, ...]
    salutation: str
    key_points: tuple[str, ...]
    close: str
    demonstration: bool
    language: str
    direction: str

    @property
    def addressee_direction(self) -> str:
        """``ltr`` or ``rtl``, by the script of the address."""
        return text_direction(self.addressee_lines)


def qr_code(url: str, title: str) -> Markup:
    """Return `url` as a QR code: an inline SVG that is as large as its box, described by `title`.

    It has no quiet zone: leave four modules of white around it.
    """
    svg = segno.make(url, micro=False, error="m").svg_inline(border=0, omitsize=True, title=title)
    return Markup(svg)  # noqa: S704 - segno escapes the title and writes no style attribute


def print_letters(letters: Sequence[Letter], *, paper: Paper, render: Render, slips: Sequence[Slip] = ()) -> bytes:
    """Print letters, each on a sheet of its own, and after them one slip to keep; return the PDF.

    The slip is never on a sheet that is posted: its code would tie a sender's name to the count.
    Raises `wfr.paper.PaperError` when a sheet would not come out right, `ValueError` for an unknown paper or
    no letter.
    """
    return render_pdf(letters_html(letters, paper=paper, render=render, slips=slips), stylesheet=STYLESHEET)


def letters_html(letters: Sequence[Letter], *, paper: Paper, render: Render, slips: Sequence[Slip] = ()) -> str:
    """Return the document that `print_letters` prints."""
    if not letters:
        raise ValueError("there is no letter to print")
    title = ngettext("Letter for %(person)s", "%(num)d letters", len(letters), person=letters[0].case_name)
    values = {"letters": letters, "slips": slips, "shared_hints": _shared_hints(slips)}
    return document_html("paper/letters.html", title, letters[0].language, paper, render, **values)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs one of a class's letters. Without a `name` the letter leaves lines to write on by hand."""

    name: str = ""


def print_class_letters(letter: Letter, signers: Sequence[Signer], *, paper: Paper, render: Render) -> bytes:
    """Print one letter of a case for each of many signers, each on a sheet of its own; return the PDF.

    All have the words of `letter`; sender and signature are the signer's. In a blank signer's letter the letter's own
    words give way to lines to write a sentence on, and its end asks for place and name.
    Raises as `print_letters` does.
    """
    return render_pdf(class_letters_html(letter, signers, paper=paper, render=render), stylesheet=STYLESHEET)


def class_letters_html(letter: Letter, signers: Sequence[Signer], *, paper: Paper, render: Render) -> str:
    """Return the document that `print_class_letters` prints, for a process that prints and does not render."""
    if not signers:
        raise ValueError("there is nobody to sign a letter")
    title = ngettext("Letter for %(person)s", "%(num)d letters", len(signers), person=letter.case_name)
    blank = replace(letter, sender_lines=(), signature="")
    letters = [
        replace(letter, sender_lines=(signer.name,), signature=signer.name) if signer.name else blank
        for signer in signers
    ]
    return document_html("paper/class_letters.html", title, letter.language, paper, render, letters=letters)


def print_card(letter: Letter, *, paper: Paper, render: Render) -> bytes:
    """Print a solidarity card with cut marks, and the address to stick on its envelope; return the PDF.

    Raises as `print_letters` does.
    """
    title = gettext("Card for %(person)s", person=letter.case_name)
    html = document_html("paper/card.html", title, letter.language, paper, render, letter=letter)
    return render_pdf(html, stylesheet=STYLESHEET)


def handwriting_entry(case: Case, target: Target, *, language: str, demonstration: bool) -> HandwritingEntry:
    """Return what to write by hand for `case`: its points are the list of what the case asks for."""
    text = case.text(language)
    return HandwritingEntry(
        case_name=case.name,
        addressee_lines=addressee_lines(target, text.language),
        salutation=target.salutation,
        key_points=points_of(without_sources(text.ask)),
        close=text.letter_close,
        demonstration=demonstration,
        language=text.language,
        direction=language_direction(text.language),
    )


def print_handwriting(entries: Sequence[HandwritingEntry], *, paper: Paper, render: Render) -> bytes:
    """Print a sheet to write by hand from, with greeting, points and envelope for each case; return the PDF.

    Raises as `print_letters` does.
    """
    if not entries:
        raise ValueError("there is no case to write about")
    title = gettext("Write by hand")
    html = document_html("paper/handwriting.html", title, entries[0].language, paper, render, entries=entries)
    return render_pdf(html, stylesheet=STYLESHEET)


def document_html(template: str, title: str, language: str, paper: str, render: Render, **values: Any) -> str:
    """Return a document of `templates/paper/`, told its title, its language and the paper it is laid out for.

    Raises `ValueError` for an unknown paper.
    """
    if paper not in PAPERS:
        raise ValueError(f"unknown paper {paper!r}")
    direction = language_direction(language)
    return render(template, title=title, language=language, direction=direction, paper=paper, **values)


def _shared_hints(slips: Sequence[Slip]) -> list[str]:
    """Return the hints that hold for every one of several slips: they are said once, above them all."""
    if len(slips) < 2:
        return []
    return [hint for hint in slips[0].hints if all(hint in slip.hints for slip in slips)]


def points_of(markdown: str) -> tuple[str, ...]:
    """Return the items of a Markdown list, or its paragraphs where there is none, without emphasis marks."""
    lines = [line.strip().replace("**", "") for line in markdown.splitlines()]
    items = [found[1] for line in lines if (found := _LIST_ITEM.match(line))]
    return tuple(items or [line for line in lines if line])
