"""A season as a ZIP of the files that `wfr.cases.importing` reads: the same words always give the same bytes.

Photographs and consents stay: a section that takes over a case asks for its own. So do cases that were withdrawn.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import tomlkit
from pydantic import BaseModel
from sqlalchemy import select
from tomlkit.items import Array, Item

from wfr.cases.documents import CaseDocument, document_of
from wfr.cases.drafting import newest_version
from wfr.cases.models import Case, CaseStatus, Season, Story
from wfr.cases.season_files import CASES, SEASON, SEASON_DATES, STORIES, SourceEntry, StoryEntry
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, transaction
from wfr.staff.auditing import record
from wfr.staff.models import Actor

LONG = 100
"""A list whose one line would be longer (characters) has a line for each of its entries."""

_STAMP = (1980, 1, 1, 0, 0, 0)
_TAG = re.compile(r"([A-Z]+)([0-9]+)")


def export_season(*, by: Actor, slug: str) -> bytes:
    """Return a season with its cases and all stories as a ZIP, and note who took it.

    A case that visitors may see is written as they read it, one that was never published as its newest draft.
    Raises `NoSuchThing`, `DatabaseAway`.
    """
    with transaction() as session:
        season = session.scalar(select(Season).where(Season.slug == slug))
        if season is None:
            raise NoSuchThing(slug)
        files = season_files(session, season)
        record(session, by, "season.exported", f"season:{season.id}", after={"files": len(files)})
    return _zip(files)


def season_files(session: AnySession, season: Season) -> dict[str, bytes]:
    """Return a season's files by name."""
    files = {SEASON: _season_file(season)}
    for case in season.cases:
        if case.status != CaseStatus.WITHDRAWN:
            files[f"{CASES}/{case.slug}.toml"] = case_file(case, _present_document(session, case))
    stories = session.scalars(select(Story).order_by(Story.position, Story.slug, Story.language)).all()
    if stories:
        files[STORIES] = _stories_file(stories)
    return files


def in_order(document: CaseDocument) -> CaseDocument:
    """Return a document that says the same, with its lists in the one order that a file has."""
    return document.model_copy(
        update={
            "texts": dict(sorted(document.texts.items())),
            "updates": sorted(document.updates, key=lambda part: (part.dated, part.language, part.kind, part.text)),
            "sources": sorted(document.sources, key=lambda source: _tag_order(source.tag)),
        }
    )


def case_file(case: Case, document: CaseDocument) -> bytes:
    """Return a case's TOML file."""
    ordered = in_order(document)
    words = _said(ordered, leave_out={"photograph", "photograph_credit"})
    for text in words.get("texts", {}).values():
        text.pop("photograph_alt", None)
    checked = {source.checked_on for source in ordered.sources}
    if len(checked) == 1:
        words["checked"] = checked.pop()
        for source in words["sources"]:
            del source["checked_on"]
    file: dict[str, Any] = {"slug": case.slug, "name": None, "country": None, "position": case.position}
    for name in ("as_it_stood", "checked", "deadline", "pattern", "colours", "kinds", "targets", "texts", "updates"):
        file[name] = None
    file |= words
    return _toml({name: value for name, value in file.items() if value is not None})


def _present_document(session: AnySession, case: Case) -> CaseDocument:
    newest = newest_version(session, case) if case.status == CaseStatus.DRAFT else None
    return CaseDocument.model_validate(newest.document) if newest else document_of(case)


def _season_file(season: Season) -> bytes:
    names = ("slug", "name", "goal", "letters_collected_at", *SEASON_DATES)
    values = {name: getattr(season, name) for name in names}
    return _toml({name: value for name, value in values.items() if value is not None})


def _stories_file(stories: Iterable[Story]) -> bytes:
    names = StoryEntry.model_fields.keys() - {"sources"}
    entries = [
        StoryEntry(
            **{name: getattr(story, name) for name in names},
            sources=[SourceEntry.parse(source) for source in story.sources],
        )
        for story in stories
    ]
    return _toml({"stories": [{**_said(entry), "position": entry.position} for entry in entries]})


def _said(part: BaseModel, leave_out: set[str] | None = None) -> dict[str, Any]:
    """Return what a part says, without what is empty because nobody ever wrote it."""
    said: dict[str, Any] = {}
    for name, about in type(part).model_fields.items():
        value = getattr(part, name)
        if name not in (leave_out or ()) and (value or value != about.get_default(call_default_factory=True)):
            said[name] = _plain(value)
    return said


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _said(value)
    if isinstance(value, dict):
        return {str(getattr(key, "value", key)): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return getattr(value, "value", value)


def _tag_order(tag: str) -> tuple[str, int]:
    found = _TAG.fullmatch(tag)
    return (found[1], int(found[2])) if found else (tag, 0)


def _toml(values: Mapping[str, Any]) -> bytes:
    document = tomlkit.document()
    _fill(document, values)
    return tomlkit.dumps(document).encode()


def _fill(table: Any, values: Mapping[str, Any]) -> None:
    """Put values into a table: what is plain first, then tables, as TOML wants it."""
    nested = {name: value for name, value in values.items() if _is_nested(value)}
    for name, value in values.items():
        if name not in nested:
            table.add(name, _item(value))
    for name, value in nested.items():
        table.add(name, _tables(value))


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(entry, dict) for entry in value))


def _tables(value: Any) -> Item:
    if isinstance(value, list):
        tables = tomlkit.aot()
        for entry in value:
            tables.append(_table(entry))
        return tables
    return _table(value)


def _table(values: Mapping[str, Any]) -> Item:
    table = tomlkit.table(is_super_table=all(_is_nested(value) for value in values.values()))
    _fill(table, values)
    return table


def _item(value: Any) -> Item:
    if isinstance(value, str) and "\n" in value:
        return tomlkit.string(f"\n{value}", multiline=True)
    if isinstance(value, list):
        items: Array = tomlkit.array()
        items.extend(value)
        items.multiline(len(items.as_string()) > LONG)
        return items
    item: Item = tomlkit.item(value)
    return item


def _zip(files: Mapping[str, bytes]) -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return room.getvalue()
