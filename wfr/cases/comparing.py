"""Comparing: what one version of a case says beside another, part by part and word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

from flask_babel import lazy_gettext as _l
from pydantic import BaseModel

from wfr.cases.documents import CaseDocument, TargetDocument, TextDocument
from wfr.cases.share_words import SHARED_ON_WORDS, SharedOn

PART_WORDS: dict[str, object] = {
    "name": _l("Name"),
    "country": _l("Country"),
    "deadline": _l("Write by"),
    "kinds": _l("Kinds of action"),
    "stamp": _l("Stamp"),
    "pattern": _l("Pattern"),
    "colours": _l("Colours"),
    "photograph": _l("Photograph"),
    "photograph_credit": _l("Credit of the photograph"),
    "photograph_alt": _l("What the photograph shows"),
    "as_it_stood": _l("As it stood on"),
    "texts": _l("Words"),
    "headline": _l("Headline"),
    "summary": _l("Summary"),
    "content_note": _l("Content note"),
    "story": _l("What happened"),
    "ask": _l("What we ask"),
    "letter": _l("Letter"),
    "letter_close": _l("How the letter closes"),
    "email_subject": _l("Subject of the letter and the e-mail"),
    "email_body": _l("E-mail"),
    "post": _l("Post"),
    "solidarity_message": _l("Message on the card"),
    "solidarity_guidance": _l("Guidance for cards"),
    "dos": _l("Do"),
    "donts": _l("Don’t"),
    "why_not": _l("Why something is not offered"),
    **{f"share_{channel}": _l("When shared: %(channel)s", channel=words) for channel, words in SHARED_ON_WORDS.items()},
    "targets": _l("Who decides"),
    "updates": _l("Since then"),
    "sources": _l("Sources"),
    "for_solidarity": _l("For cards of solidarity"),
    "office": _l("Office"),
    "name_as_of": _l("Known as of"),
    "salutation": _l("Salutation"),
    "address_lines": _l("Postal address"),
    "email": _l("E-mail address"),
    "x_handle": _l("Name on X"),
    "languages": _l("Languages they read"),
    "unreached_from": _l("Post does not arrive from"),
    "embassy_route": _l("What to do instead"),
    "embassies": _l("Embassies, by the sender’s country"),
    "note": _l("Note"),
    "source_tags": _l("Sources"),
}
"""What each part of a document is called at the desk."""

_WORDS = re.compile(r"\S+|\s+")
_MOST_WORDS = 4000
"""Beyond this two texts are not compared word by word: that would take too long."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of one side; `changed` where the other side does not have them."""

    words: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One part of two documents. `how` is ``same``, ``changed``, ``added`` or ``removed``."""

    label: object
    how: str
    before: tuple[Piece, ...]
    after: tuple[Piece, ...]
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Parts that belong together: the case, the words in one language, the addresses, the news, the sources."""

    name: str
    language: str | None
    parts: tuple[Part, ...]

    @property
    def changes(self) -> int:
        """How many of its parts differ."""
        return sum(part.how != "same" for part in self.parts)


def compare(old: CaseDocument | None, new: CaseDocument) -> list[Section]:
    """Return both documents section by section; without an `old` one everything is added."""
    before = old or CaseDocument(pattern="", colours="")
    sections = [Section("case", None, tuple(_case_parts(before, new)))]
    for language in dict.fromkeys([*before.texts, *new.texts]):
        parts = _text_parts(before.texts.get(language), new.texts.get(language), language)
        sections.append(Section("texts", language, tuple(parts)))
    sections += [
        Section(rows, None, tuple(_row_parts(before, new, rows))) for rows in ("targets", "updates", "sources")
    ]
    return [section for section in sections if section.parts]


def pieces(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both texts cut into what they share and what they do not, word by word."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) + len(new) > _MOST_WORDS:
        return (Piece(before, changed=True),), (Piece(after, changed=True),)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        # A space that two changed words share is no reason to read them as two changes.
        changed = what != "equal" or not "".join(old[i:j]).strip()
        left.append(("".join(old[i:j]), changed))
        right.append(("".join(new[k:m]), changed))
    return _joined(left), _joined(right)


def _joined(runs: list[tuple[str, bool]]) -> tuple[Piece, ...]:
    found: list[Piece] = []
    for changed, run in groupby((run for run in runs if run[0]), key=lambda run: run[1]):
        found.append(Piece("".join(words for words, _changed in run), changed))
    return tuple(found)


def _part(label: object, before: str, after: str, language: str | None = None) -> Part | None:
    if not before and not after:
        return None
    if before == after:
        same = (Piece(before),)
        return Part(label, "same", same, same, language)
    if not before or not after:
        how = "removed" if before else "added"
        sides = tuple((Piece(words, changed=True),) if words else () for words in (before, after))
        return Part(label, how, sides[0], sides[1], language)
    left, right = pieces(before, after)
    return Part(label, "changed", left, right, language)


def _case_parts(before: CaseDocument, after: CaseDocument) -> Iterator[Part]:
    for name in ("name", "country", "deadline", "as_it_stood", "kinds", "pattern", "colours", "photograph"):
        yield from _named(name, before, after)
    yield from _named("photograph_credit", before, after)


def _text_parts(before: TextDocument | None, after: TextDocument | None, language: str) -> Iterator[Part]:
    empty = TextDocument(letter_close="")
    old, new = before or empty, after or empty
    for name in TextDocument.model_fields:
        yield from _shared(old, new, language) if name == "share" else _named(name, old, new, language)


def _shared(before: TextDocument, after: TextDocument, language: str) -> Iterator[Part]:
    for channel in SharedOn:
        label = PART_WORDS[f"share_{channel}"]
        part = _part(label, before.share.get(channel, ""), after.share.get(channel, ""), language)
        if part:
            yield part


def _named(name: str, before: BaseModel, after: BaseModel, language: str | None = None) -> Iterator[Part]:
    part = _part(PART_WORDS[name], written(getattr(before, name)), written(getattr(after, name)), language)
    if part:
        yield part


def _row_parts(before: CaseDocument, after: CaseDocument, rows: str) -> Iterator[Part]:
    old, new = _by_key(getattr(before, rows)), _by_key(getattr(after, rows))
    for key in dict.fromkeys([*new, *old]):
        part = _part(key, old.get(key, ""), new.get(key, ""))
        if part:
            yield part


def _by_key(rows: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        key = _key(row)
        same = sum(other == key or other.startswith(f"{key} (") for other in found)
        found[f"{key} ({same + 1})" if same else key] = _row_written(row)
    return found


def _key(row: Any) -> str:
    """Return what a row is known by, so that moving it is no change of its words."""
    if isinstance(row, TargetDocument):
        return row.office
    return str(getattr(row, "tag", "")) or f"{row.dated.isoformat()} {row.language}"


def _row_written(row: BaseModel) -> str:
    said = ((PART_WORDS.get(name, name), written(getattr(row, name))) for name in type(row).model_fields)
    plain = {"tag", "title", "text", "dated", "dated_as", "kind", "language", "checked_on"}
    if plain & set(type(row).model_fields):
        return "\n".join(words for _label, words in said if words)
    return "\n".join(f"{label}: {words}" for label, words in said if words)


def written(value: Any) -> str:
    """Return any value of a document as a person reads it."""
    if value is None or value is False:
        return ""
    if isinstance(value, dict):
        entries = ((key, ", ".join(words) if isinstance(words, list) else words) for key, words in value.items())
        return "\n".join(f"{key}: {words}" for key, words in entries)
    if isinstance(value, list):
        return "\n".join(str(each) for each in value)
    return "✓" if value is True else str(value)
