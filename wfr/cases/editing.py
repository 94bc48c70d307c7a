"""Between a document and the editor's form: what the form shows, what a sent form makes of a document, and its rows.

A field that is wrong leaves its part of the document as it was; everything else that was sent is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from wtforms import Field, FieldList, Form, FormField

from wfr.cases.documents import CaseDocument, SourceDocument, TargetDocument, TextDocument, UpdateDocument
from wfr.cases.models import Kind
from wfr.cases.share_words import SharedOn

WHY_NOT, SHARE = "why_not_", "share_"
ROWS = ("targets", "sources", "updates")
_PLAIN = ("name", "country", "deadline", "as_it_stood", "kinds", "pattern", "colours")
_NONE_WHERE_EMPTY = frozenset(
    {
        "content_note",
        "name_as_of",
        "email",
        "x_handle",
        "embassy_route",
        "note",
        "source_tags",
        "dated_as",
    }
)
_FIRST_TAG = re.compile(r"([A-Z])(\d+)")


def languages_of(document: CaseDocument) -> list[str]:
    """Return the languages that the editor has a tab for: English where there are no words at all."""
    return list(document.texts) or ["en"]


def form_values(document: CaseDocument, language: str, revision: int) -> dict[str, Any]:
    """Return what the form shows of a document: the words in `language`, and all that holds in every language."""
    text = document.texts.get(language, TextDocument())
    keyed = {f"{WHY_NOT}{kind.value}": text.why_not.get(kind, "") for kind in Kind}
    keyed |= {f"{SHARE}{channel.value}": text.share.get(channel, "") for channel in SharedOn}
    return {
        **document.model_dump(include=set(_PLAIN)),
        "kinds": [kind.value for kind in document.kinds],
        "revision": revision,
        "language": language,
        "text": {**text.model_dump(exclude={"why_not", "share"}), **keyed},
        "targets": [target.model_dump() for target in document.targets],
        "sources": [source.model_dump() for source in document.sources],
        "updates": [{**update.model_dump(), "kind": update.kind.value} for update in document.updates],
    }


def merge_form(form: Any, document: CaseDocument, language: str) -> CaseDocument:
    """Return the document as a validated form wants it; rows are neither added nor lost by sending a form."""
    values = document.model_dump()
    values |= {name: value for name, value in _sound(form) if name in _PLAIN}
    stored = document.texts.get(language, TextDocument())
    words = dict(_sound(form.text.form))
    words["why_not"] = _keyed(words, WHY_NOT, Kind, stored.why_not)
    words["share"] = _keyed(words, SHARE, SharedOn, stored.share)
    if any(words[part] for part in words if part != "letter_close") or language in document.texts:
        values["texts"][language] = {**stored.model_dump(), **words}
    for rows in ROWS:
        _merge_rows(form[rows], values[rows])
    return CaseDocument.model_validate(values)


def _keyed(
    words: dict[str, Any], prefix: str, keys: Iterable[StrEnum], stored: Mapping[Any, str]
) -> dict[StrEnum, str]:
    """Take one field a key out of `words`; what was refused stays as it was stored, what is empty is left out."""
    said = {key: words.pop(f"{prefix}{key.value}", stored.get(key, "")) for key in keys}
    return {key: each for key, each in said.items() if each}


def _merge_rows(field: FieldList, stored: list[dict[str, Any]]) -> None:
    for entry in field:
        number = int(entry.name.rpartition("-")[2])
        if number < len(stored):
            row = dict(_sound(entry.form))
            if "for_solidarity" in row:
                # The holder's name is the one "name" that may be missing.
                row["name"] = row.get("name") or None
            stored[number] |= row


def _sound(form: Form) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of the plain fields that were sent without a mistake."""
    for field in form:
        if isinstance(field, FormField | FieldList) or field.errors:
            continue
        name = field.short_name
        yield name, (field.data or None) if name in _NONE_WHERE_EMPTY else field.data


def problems_of(form: Form) -> list[tuple[Field, object]]:
    """Return every field that was refused, with the words of why, in the order of the form."""
    found: list[tuple[Field, object]] = []
    for field in form:
        if isinstance(field, FormField):
            found += problems_of(field.form)
        elif isinstance(field, FieldList):
            found += [problem for entry in field for problem in problems_of(entry.form)]
        elif field.errors and field.short_name not in ("revision", "language"):
            found.append((field, field.errors[0]))
    return found


def change_rows(document: CaseDocument, what: str, language: str, today: date) -> CaseDocument:
    """Return the document after a button was pressed, such as ``targets.add``, ``targets.2.up``, ``sources.0.checked``.

    Rows count from 0; what makes no sense changes nothing.
    """
    rows, _, deed = what.partition(".")
    changed = document.model_copy(deep=True)
    if rows == "language" and deed == "remove":
        if len(changed.texts) > 1:
            changed.texts.pop(language, None)
    elif rows in ROWS and deed == "add":
        _add_row(changed, rows, language, today)
    elif rows in ROWS:
        number, _, deed = deed.partition(".")
        _change_row(getattr(changed, rows), number, deed, today)
    return changed


def add_language(document: CaseDocument, language: str) -> CaseDocument:
    """Return the document with empty words in a further language; those it has stay as they are."""
    changed = document.model_copy(deep=True)
    changed.texts.setdefault(language, TextDocument(letter_close="" if changed.texts else "Yours sincerely,"))
    return changed


def _add_row(document: CaseDocument, rows: str, language: str, today: date) -> None:
    if rows == "targets":
        document.targets.append(TargetDocument(country=document.country))
    elif rows == "sources":
        document.sources.append(SourceDocument(tag=next_tag(document), title="", checked_on=today))
    else:
        document.updates.append(UpdateDocument(language=language, dated=today, text=""))


def _change_row(rows: list[Any], number: str, deed: str, today: date) -> None:
    index = int(number) if number.isdecimal() else len(rows)
    if index >= len(rows):
        return
    if deed == "remove":
        del rows[index]
    elif deed == "checked" and isinstance(rows[index], SourceDocument):
        rows[index].checked_on = today
    elif deed in ("up", "down"):
        other = index - 1 if deed == "up" else index + 1
        if 0 <= other < len(rows):
            rows[index], rows[other] = rows[other], rows[index]


def next_tag(document: CaseDocument) -> str:
    """Return a tag that no source of the document has yet: the letter of the first, the number after the highest."""
    tags = [found for source in document.sources if (found := _FIRST_TAG.fullmatch(source.tag))]
    letter = tags[0][1] if tags else "S"
    return f"{letter}{max((int(tag[2]) for tag in tags if tag[1] == letter), default=0) + 1}"
