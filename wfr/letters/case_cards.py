"""Case cards: two sides of paper for a pupil's table, with a person's story and the letter to copy by hand.

A card has two pages whatever the case's words: the type steps down, and only where the smallest is still too large
a side leaves out its last paragraphs and names the address that has them all. It carries no code, because it may be
posted by mistake.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from babel import Locale
from babel.dates import format_date
from flask_babel import ngettext
from markupsafe import Markup

from wfr.cases.models import Case, CaseText, Kind, Target
from wfr.letters.addressing import language_direction
from wfr.letters.merging import prefilled_message
from wfr.letters.paper_stamps import PaperStamp, paper_stamp
from wfr.letters.printing import HandwritingEntry, Paper, Render, document_html, handwriting_entry, points_of
from wfr.paper import PaperError, page_count, render_pdf
from wfr.text import paragraphs, render_markdown, without_sources

STYLESHEET = "css/classroom.css"
TYPE_STEPS = 5
"""How many sizes of type classroom.css has for a side, the largest first: ``type-0``, ``type-1`` …"""


@dataclass(frozen=True, slots=True)
class CaseCard:
    """What a card says of a case, without source tags.

    `letter` are the paragraphs to copy, with a line where a sentence of one's own goes. Without an `entry`, which
    holds greeting, close and address, nobody can write on paper for this case.
    `as_it_stood` is a month in words, or empty. `also` are further languages that the letter may be written in.
    """

    stamp: PaperStamp
    content_note: str
    headline: str
    summary: str
    as_it_stood: str
    story: tuple[Markup, ...]
    points: tuple[str, ...]
    dos: tuple[str, ...]
    donts: tuple[str, ...]
    letter: tuple[str, ...]
    entry: HandwritingEntry | None
    letter_language: str
    also: tuple[str, ...]
    url: str
    language: str
    direction: str


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a card as it is set: its step of type, and how many of its last paragraphs are left out."""

    card: CaseCard
    name: Literal["front", "back"]
    step: int = 0
    left_out: int = 0

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The story's paragraphs, or the letter's, that this side has room for; never a heading at the end."""
        whole = self.card.story if self.name == "front" else self.card.letter
        shown = whole[: len(whole) - self.left_out]
        while self.left_out and shown and shown[-1].startswith("<h"):
            shown = shown[:-1]
        return shown

    @property
    def address(self) -> str:
        """The address of the whole story as people type it."""
        return self.card.url.partition("://")[2]


def case_card_for(case: Case, target: Target | None, *, url: str, language: str, demonstration: bool) -> CaseCard:
    """Return the card of `case`, whose letter goes to `target`; `url` is the page with the whole story.

    Without a target, a postal address or words for a letter the card has no letter. Raises `LookupError` for a
    case without words.
    """
    text = case.text(language)
    locale = Locale.parse(text.language, sep="-")
    writable = target is not None and case.offers(Kind.LETTER) and target.address_lines and text.letter.strip()
    entry = (
        handwriting_entry(case, target, language=language, demonstration=demonstration) if target and writable else None
    )
    month = format_date(case.as_it_stood, "MMMM y", locale=locale) if case.as_it_stood else ""
    return CaseCard(
        stamp=paper_stamp(case, text.language),
        content_note=without_sources(text.content_note or "").strip(),
        headline=text.headline,
        summary=without_sources(text.summary),
        as_it_stood=month,
        story=tuple(render_markdown(block) for block in paragraphs(text.story)),
        points=points_of(without_sources(text.ask)),
        dos=tuple(text.dos),
        donts=tuple(text.donts),
        letter=tuple(paragraphs(prefilled_message(case, Kind.LETTER, language))) if entry else (),
        entry=entry,
        letter_language=locale.get_display_name(text.language) or text.language,
        also=_further_languages(text, target) if entry else (),
        url=url,
        language=text.language,
        direction=language_direction(text.language),
    )


def print_case_cards(cards: Sequence[CaseCard], *, paper: Paper, render: Render) -> bytes:
    """Print each card on two pages, a front and a back, to be printed on both sides of a sheet; return the PDF.

    Raises `wfr.paper.PaperError` when a sheet would not come out right, also when a card without story and letter
    still fills more than two pages; `ValueError` for an unknown paper or no card.
    """
    if not cards:
        raise ValueError("there is no card to print")
    fronts = [_fitted(Side(card, "front"), paper, render) for card in cards]
    backs = [_fitted(Side(card, "back"), paper, render) for card in cards]
    sides = [side for sheet in zip(fronts, backs, strict=True) for side in sheet]
    return render_pdf(_sides_html(sides, paper, render), stylesheet=STYLESHEET)


def _fitted(side: Side, paper: Paper, render: Render) -> Side:
    """Return the side as it fits one page: in the largest type that does, or else with the most paragraphs."""

    def fits(candidate: Side) -> bool:
        return page_count(_sides_html([candidate], paper, render), stylesheet=STYLESHEET) == 1

    for step in range(TYPE_STEPS):
        if fits(whole := replace(side, step=step)):
            return whole
    smallest = TYPE_STEPS - 1
    cuts = [replace(side, step=smallest, left_out=left_out + 1) for left_out in range(len(side.paragraphs))]
    place = bisect_left(cuts, True, key=fits)
    if place == len(cuts):
        raise PaperError(f"The {side.name} of a case card does not fit its page: {side.card.stamp.name}")
    return cuts[place]


def _sides_html(sides: Sequence[Side], paper: Paper, render: Render) -> str:
    first = sides[0].card
    cards = len(sides) // 2
    title = ngettext("Case card: %(person)s", "%(num)d case cards", max(cards, 1), person=first.stamp.name)
    return document_html("paper/case_cards.html", title, first.language, paper, render, sides=sides)


def _further_languages(text: CaseText, target: Target | None) -> tuple[str, ...]:
    """Return the names of the languages that the target reads, besides that of the letter."""
    codes = [code for code in (target.languages if target else ()) if code != text.language]
    locale = Locale.parse(text.language, sep="-")
    return tuple(Locale.parse(code, sep="-").get_display_name(locale) or code for code in codes)
