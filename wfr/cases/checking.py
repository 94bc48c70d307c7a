"""What a document lacks before it may be reviewed, what its reviewer must look at, and what consent does not cover."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from flask_babel import lazy_gettext as _l

from wfr.cases.documents import CaseDocument, TargetDocument, TextDocument
from wfr.cases.models import Consent, Kind
from wfr.cases.placeholders import PLACEHOLDERS, UnknownPlaceholder, check_placeholders
from wfr.cases.share_words import share_word_problems
from wfr.cases.stamps import FAMILIES, PAIRS
from wfr.countries import is_country
from wfr.text import SOURCE_TAG, source_tags

OLD_SOURCE = timedelta(days=90)
"""A source that nobody has looked at for this long is shown to the reviewer."""

SOURCED_PARTS = ("summary", "story", "ask")
"""The parts of a text that carry source tags."""

WORDS_OF_KIND: dict[Kind, tuple[str, ...]] = {
    Kind.LETTER: ("letter", "letter_close"),
    Kind.EMAIL: ("email_subject", "email_body"),
    Kind.POST: ("post",),
    Kind.SOLIDARITY: ("solidarity_message", "solidarity_guidance"),
}
"""What each kind of action needs in every language."""

# A sentence ends in a stop, and its tags may follow; a list item or a line ends one too.
_SENTENCE = re.compile(rf"(?:[^.!?\n]|[.!?](?!\s|$))+[.!?]*(?:[”’\"')]*)(?:[ \t]*{SOURCE_TAG.pattern})*")
_MARKS = re.compile(r"^[\s>#*\-+\d.]*$")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing or wrong: the part of the document, its language where it has one, and the words."""

    part: str
    words: object
    language: str | None = None


class SourceProblem(StrEnum):
    """Why a sentence or an address needs a second look."""

    NONE = "none"
    UNKNOWN = "unknown"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class SourceGap:
    """A sentence or an address without a source, with an unknown tag, or with a source that is old."""

    part: str
    language: str | None
    words: str
    problem: SourceProblem
    tag: str = ""


def find_gaps(document: CaseDocument) -> list[Gap]:
    """Return what must be filled in or mended before anybody can review the document; empty is what must come."""
    gaps = list(_case_gaps(document))
    if document.pattern not in FAMILIES or document.colours not in PAIRS:
        gaps.append(Gap("stamp", _l("Choose a pattern and colours for the stamp.")))
    for language, text in document.texts.items():
        gaps += [Gap(part, words, language) for part, words in _text_gaps(document, text)]
    for number, target in enumerate(document.targets, start=1):
        gaps += [Gap(f"targets.{number}", words) for words in _target_gaps(target)]
    return gaps


def _case_gaps(document: CaseDocument) -> Iterator[Gap]:
    if not document.name:
        yield Gap("name", _l("The name is missing."))
    if not is_country(document.country):
        yield Gap("country", _l("The country is missing."))
    if not document.kinds:
        yield Gap("kinds", _l("Choose at least one kind of action."))
    if not document.texts:
        yield Gap("texts", _l("There are no words in any language."))
    if document.photograph and not document.photograph_credit:
        yield Gap("photograph_credit", _l("The photograph needs a credit."))
    for kind in document.kinds:
        if not any(_reaches(target, kind) for target in document.targets):
            yield Gap("targets", _NO_TARGET[kind])


_NO_TARGET = {
    Kind.LETTER: _l("A letter needs somebody with a postal address."),
    Kind.EMAIL: _l("An e-mail needs somebody with an e-mail address."),
    Kind.POST: _l("A post needs somebody it speaks to."),
    Kind.SOLIDARITY: _l("A card needs an address for solidarity."),
}


def _reaches(target: TargetDocument, kind: Kind) -> bool:
    if kind is Kind.SOLIDARITY:
        return target.for_solidarity and bool(target.address_lines)
    if target.for_solidarity:
        return False
    return {Kind.LETTER: bool(target.address_lines), Kind.EMAIL: bool(target.email), Kind.POST: True}[kind]


def _text_gaps(document: CaseDocument, text: TextDocument) -> Iterator[tuple[str, object]]:
    needed = ["headline", "summary", "story", "ask"]
    for kind in document.kinds:
        needed += WORDS_OF_KIND[kind]
    if document.photograph:
        needed.append("photograph_alt")
    for part in needed:
        if not getattr(text, part):
            yield part, _l("This is missing.")
    for part in PLACEHOLDERS:
        try:
            check_placeholders(part, getattr(text, part))
        except UnknownPlaceholder as problem:
            yield part, _l("%(placeholder)s %(why)s", placeholder=problem.placeholder, why=problem.why)
    yield from ((f"share_{channel}", problem) for channel, problem in share_word_problems(text.share))


def _target_gaps(target: TargetDocument) -> Iterator[object]:
    if not target.office:
        yield _l("The office is missing.")
    if not target.salutation:
        yield _l("The salutation is missing.")
    if not is_country(target.country):
        yield _l("The country is missing.")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text with their source tags, headings' and lists' marks left out."""
    found = (match.group().strip().lstrip("#>*+- ").strip() for match in _SENTENCE.finditer(text))
    return [sentence for sentence in found if sentence and not _MARKS.match(SOURCE_TAG.sub("", sentence))]


def find_source_gaps(document: CaseDocument, today: date) -> list[SourceGap]:
    """Return every factual sentence and address whose source is missing, unknown or was last checked long ago."""
    checked = {source.tag: source.checked_on for source in document.sources}
    gaps: list[SourceGap] = []
    for part, language, words, tags in _claims(document):
        if not tags:
            gaps.append(SourceGap(part, language, words, SourceProblem.NONE))
        for tag in tags:
            if tag not in checked:
                gaps.append(SourceGap(part, language, words, SourceProblem.UNKNOWN, tag))
            elif today - checked[tag] > OLD_SOURCE:
                gaps.append(SourceGap(part, language, words, SourceProblem.OLD, tag))
    return gaps


def _claims(document: CaseDocument) -> Iterator[tuple[str, str | None, str, list[str]]]:
    for language, text in document.texts.items():
        for part in SOURCED_PARTS:
            for sentence in sentences(getattr(text, part)):
                yield part, language, SOURCE_TAG.sub("", sentence).strip(), source_tags(sentence)
    for update in document.updates:
        for sentence in sentences(update.text):
            yield "updates", update.language, SOURCE_TAG.sub("", sentence).strip(), source_tags(sentence)
    for target in document.targets:
        tags = source_tags(f"[{target.source_tags}]") if target.source_tags else []
        address = ", ".join([target.office, *target.address_lines, *([target.email] if target.email else [])])
        yield "targets", None, address, tags


def consent_problems(consent: Consent | None, document: CaseDocument, today: date) -> list[object]:
    """Return, in words, what this document says or offers that nobody has agreed to; empty when it is covered."""
    if consent is None:
        return [_l("Nobody's consent is recorded.")]
    if consent.revoked_at:
        return [_l("The consent was taken back.")]
    if today > consent.ends:
        return [_l("The consent has ended.")]
    problems: list[object] = []
    if consent.name != document.name:
        problems.append(_l("The name is not in the form that was agreed: “%(name)s”.", name=consent.name))
    if document.photograph and not consent.photograph:
        problems.append(_l("There is no consent to the photograph."))
    if not consent.story:
        problems.append(_l("There is no consent to telling the story."))
    problems += [
        _l("There is no consent to this kind of action: %(kind)s.", kind=kind.value)
        for kind in document.kinds
        if kind.value not in consent.kinds
    ]
    return problems
