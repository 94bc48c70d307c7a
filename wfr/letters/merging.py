"""Merging: a case's words, an address and a person's own lines become one letter.

A letter is a value. It lives in the request and on paper, and is stored nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from flask_babel import gettext, lazy_gettext

from wfr.cases.models import Case, Kind, Target
from wfr.cases.placeholders import BRACES, OWN_WORDS
from wfr.letters.addressing import (
    addressee_lines,
    embassy_lines,
    filled,
    language_direction,
    text_direction,
    written_date,
)

PART_OF_KIND = {Kind.LETTER: "letter", Kind.EMAIL: "email_body", Kind.SOLIDARITY: "solidarity_message"}

OWN_WORDS_MARKER = lazy_gettext("[your own sentence]")
"""The line that stands for the visitor's own words while they edit the whole message."""

SENDER_LINES, SENDER_CHARACTERS = 6, 75
"""How many lines of a sender, and characters a line, stand above the envelope's window; `static/css/paper.css`."""
ADDRESS_LINES, ADDRESS_CHARACTERS = 6, 38
"""The same of an address in the window."""

_LIST_LINE = re.compile(r"\s*([-–•*]|\d+[.)])\s")


@dataclass(frozen=True, slots=True)
class PersonalLines:
    """What a visitor adds to a case's words. `address` may have several lines.

    `message` is None for the case's own words, else the whole body as the visitor edited it. It is taken
    literally: braces in it mean nothing, only `OWN_WORDS_MARKER` alone on a line does.
    An empty `subject` is the case's own.
    """

    name: str = ""
    address: str = ""
    own_words: str = ""
    message: str | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, e-mail or card, ready to be sent. Everything in it is plain text.

    `addressee_lines` are written as the post of `country` (ISO 3166-1 alpha-2) wants them, its name last, in
    capitals. `own_words` are the visitor's and stand among the `paragraphs` as one of them; a paragraph may
    have several lines. An empty `signature` is a line to sign by hand.
    `note` stands above the words and says what sort of copy this is; `beside` is the same letter in another language,
    to be printed in a column on its left.
    """

    kind: Kind
    case_slug: str
    case_name: str
    country: str
    sender_lines: tuple[str, ...]
    date: date
    addressee_lines: tuple[str, ...]
    subject: str
    salutation: str
    paragraphs: tuple[str, ...]
    own_words: str | None
    close: str
    signature: str
    demonstration: bool
    language: str
    direction: str
    note: str = ""
    beside: Letter | None = None

    @property
    def date_line(self) -> str:
        """The day as a letter in this language writes it, such as 20 November 2026."""
        return written_date(self.date, self.language)

    @property
    def sender_direction(self) -> str:
        """``ltr`` or ``rtl``, by the sender's own script."""
        return text_direction(self.sender_lines)

    @property
    def addressee_direction(self) -> str:
        """``ltr`` or ``rtl``, by the script of the address."""
        return text_direction(self.addressee_lines)

    @property
    def sender_is_long(self) -> bool:
        """Whether the sender's lines need a smaller type to end above the window of the envelope."""
        return _lines_in(self.sender_lines, SENDER_CHARACTERS) > SENDER_LINES

    @property
    def address_is_long(self) -> bool:
        """Whether the address needs a smaller type to stand in the window of the envelope."""
        return _lines_in(self.addressee_lines, ADDRESS_CHARACTERS) > ADDRESS_LINES

    @property
    def rows(self) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
        """The paragraphs of `beside` and of this letter, side by side.

        Where both have as many, each row holds a pair, and own words have a row without a counterpart. Where they
        have not, nobody here knows which corresponds to which, and one row holds both letters whole.
        """
        if self.beside is None:
            return ()
        others = iter(self.beside.paragraphs)
        shared = [words for words in self.paragraphs if words != self.own_words]
        if len(shared) != len(self.beside.paragraphs):
            return ((self.beside.paragraphs, self.paragraphs),)
        return tuple(
            ((), (words,)) if words == self.own_words else ((next(others),), (words,)) for words in self.paragraphs
        )


def merge_letter(  # noqa: PLR0913 - all that a letter is made of
    case: Case,
    kind: Kind,
    target: Target,
    lines: PersonalLines,
    *,
    today: date,
    language: str,
    demonstration: bool,
) -> Letter:
    """Put a letter, an e-mail or a solidarity card together, in `language`, that of the page.

    Raises `ValueError` for a kind without a message of several paragraphs (a post), `LookupError` for a case
    without words.
    """
    text = case.text(language)
    own_words = "\n".join(filled(*lines.own_words.splitlines()))
    body = _case_words(case, kind, language) if lines.message is None else lines.message
    marker = OWN_WORDS if lines.message is None else str(OWN_WORDS_MARKER)
    solidarity = kind is Kind.SOLIDARITY
    subject = lines.subject.strip() or text.email_subject
    sender = (lines.name, *lines.address.splitlines()) if kind is Kind.LETTER else ()
    return Letter(
        kind=kind,
        case_slug=case.slug,
        case_name=case.name,
        country=target.country,
        sender_lines=filled(*sender),
        date=today,
        addressee_lines=addressee_lines(target, text.language),
        subject="" if solidarity else subject,
        salutation=target.salutation,
        paragraphs=tuple(_paragraphs(body, marker, own_words)),
        own_words=own_words or None,
        close=gettext("With warm wishes,") if solidarity else text.letter_close,
        signature=lines.name.strip(),
        demonstration=demonstration,
        language=text.language,
        direction=language_direction(text.language),
    )


def language_beside(case: Case, target: Target, language: str) -> str | None:
    """Return the target's language that a letter in `language` can have beside it: the case has its words in it."""
    mine = case.text(language).language
    written = {text.language for text in case.texts if text.letter.strip()}
    return next((other for other in target.languages if other != mine and other in written), None)


def put_beside(letter: Letter, case: Case, target: Target) -> Letter:
    """Return the letter with the case's own words in the target's language beside it; as it was where there are none.

    The other column is never the visitor's: neither own words nor edited ones are translated.
    """
    other = language_beside(case, target, letter.language)
    if other is None:
        return letter
    beside = merge_letter(
        case,
        letter.kind,
        target,
        PersonalLines(),
        today=letter.date,
        language=other,
        demonstration=letter.demonstration,
    )
    return replace(letter, beside=beside)


def by_embassy(letter: Letter, target: Target, sender_country: str) -> Letter:
    """Return a letter that post does not carry from `sender_country` to its target: it goes to the embassy instead."""
    note = gettext("By way of the embassy: a letter to %(office)s", office=_whom(target))
    return replace(letter, addressee_lines=embassy_lines(target, sender_country, letter.language), note=note)


def embassy_copy(letter: Letter, target: Target, sender_country: str) -> Letter:
    """Return the copy of a letter that goes to the target's embassy in `sender_country`."""
    note = gettext("Copy of my letter to %(office)s", office=_whom(target))
    return replace(letter, addressee_lines=embassy_lines(target, sender_country, letter.language), note=note)


def prefilled_message(case: Case, kind: Kind, language: str) -> str:
    """Return what stands in the visitor's text field: the case's words, with a line to put own words on."""
    return _case_words(case, kind, language).replace(OWN_WORDS, str(OWN_WORDS_MARKER))


def email_text(letter: Letter) -> str:
    """Return an e-mail's plain body, its lines ended by a line feed."""
    warning = (gettext("DEMONSTRATION - do not send"),) if letter.demonstration else ()
    end = "\n".join(filled(letter.close, letter.signature))
    return "\n\n".join((*warning, letter.salutation, *letter.paragraphs, end))


def post_text(case: Case, target: Target, message: str | None, demonstration: bool, *, language: str = "en") -> str:
    """Return the words of a post: the visitor's, literally, or, when `message` is None, the case's."""
    words = message
    if words is None:
        words = _fill_in(case.text(language).post, person=case.name, handle=_handle(target))
    words = words.strip()
    warning = gettext("[Demonstration, do not send]")
    return f"{warning} {words}" if demonstration and not words.startswith(warning) else words


def _case_words(case: Case, kind: Kind, language: str) -> str:
    """Return the case's words for a kind: persons filled in, a paragraph a line, `OWN_WORDS` in place."""
    if kind not in PART_OF_KIND:
        raise ValueError(f"a {kind} has no message of several paragraphs")
    text: str = getattr(case.text(language), PART_OF_KIND[kind])
    blocks = (_joined(block) for block in re.split(r"\n\s*\n", text.strip()))
    return _fill_in("\n\n".join(blocks), person=case.name, own_words=OWN_WORDS)


def _fill_in(text: str, **values: str) -> str:
    # One pass over the case's text: braces in a value stay braces.
    return BRACES.sub(lambda found: values.get(found[1] or "", found[0]), text)


def _joined(block: str) -> str:
    """Undo the line breaks that only keep a case's file narrow; lists and own words keep theirs."""
    lines: list[str] = []
    for line in block.splitlines():
        follows = lines and OWN_WORDS not in (line.strip(), lines[-1]) and not _LIST_LINE.match(line)
        if follows:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    return "\n".join(lines)


def _paragraphs(body: str, marker: str, own_words: str) -> Iterator[str]:
    """Split a body at empty lines and put own words at the marker, or last where the marker is gone."""
    before, after = _around(body, marker)
    yield from _blocks(before)
    yield from filled(own_words)
    yield from _blocks(after)


def _around(body: str, marker: str) -> tuple[str, str]:
    """Return what stands before and after the line with the marker; without a marker all stands before it."""
    lines = body.splitlines()
    places = [number for number, line in enumerate(lines) if line.strip() == marker] or [len(lines)]
    rest = [line for line in lines[places[0] :] if line.strip() != marker]
    return "\n".join(lines[: places[0]]), "\n".join(rest)


def _blocks(text: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", "\n".join(text.splitlines())):
        if block.strip():
            yield block.strip()


def _lines_in(lines: tuple[str, ...], characters: int) -> int:
    """Return how many lines of paper some lines take, each broken after so many characters."""
    return sum(-(-len(line) // characters) for line in lines)


def _whom(target: Target) -> str:
    return target.office or target.name or ""


def _handle(target: Target) -> str:
    return f"@{target.x_handle.lstrip('@')}" if target.x_handle else target.office
