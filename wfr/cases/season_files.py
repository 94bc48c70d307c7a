"""A season as files: `season.toml`, `cases/*.toml` and `stories.toml`, read and checked as a whole.

Reading finds every problem of every file, each with its line, before anything is done with what was read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath
from typing import Any, TypeVar

from babel import Locale, UnknownLocaleError
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from wfr.cases.documents import CaseDocument
from wfr.cases.models import Season
from wfr.cases.placeholders import PLACEHOLDERS, UnknownPlaceholder, check_placeholders
from wfr.cases.stamps import FAMILIES, PAIRS
from wfr.cases.toml_lines import Path, lines_of
from wfr.countries import is_country
from wfr.text import source_tags

SEASON, STORIES, CASES = "season.toml", "stories.toml", "cases"
SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SEASON_DATES = ("opens", "key_date", "closes", "reports_due")
COUNTED_DATES = ("opens_days_before", "closes_days_after_key_date", "reports_days_after_close")


class CannotLoad(Exception):
    """The files or the database do not allow it; the message says why and, where it is a file, which and where."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file; `line` counts from 1."""

    file: str
    line: int
    words: object

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.words}"


class BadFiles(CannotLoad):
    """The files have problems; all of them are told at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line))
        super().__init__("\n".join(map(str, self.problems)))


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class SeasonFile(_File):
    """`season.toml`: a season with its own days, or, for the demonstration, with days that are counted from today."""

    slug: str = Field(pattern=SLUG, max_length=40)
    name: str = Field(min_length=1, max_length=120)
    goal: int | None = Field(None, gt=0)
    letters_collected_at: str | None = None
    opens: date | None = None
    key_date: date | None = None
    closes: date | None = None
    reports_due: date | None = None
    opens_days_before: int | None = None
    closes_days_after_key_date: int | None = None
    reports_days_after_close: int | None = None
    checked: date | None = None


class SourceEntry(_File):
    """Where a story's or a total's figure comes from."""

    tag: str = Field(max_length=12, pattern=r"^[A-Z][0-9]+$")
    title: str = ""

    def __str__(self) -> str:
        return f"{self.tag}: {self.title}"

    @classmethod
    def parse(cls, line: str) -> SourceEntry:
        """Return the source that a stored story names as ``R8: where it stands``; raises `ValidationError`."""
        tag, _, title = line.partition(":")
        return cls(tag=tag.strip(), title=title.strip())


class StoryEntry(_File):
    """One story of `stories.toml`, in one language."""

    slug: str = Field(pattern=SLUG, max_length=80)
    language: str = Field("en", max_length=12)
    position: int = 0
    title: str = Field(min_length=1, max_length=160)
    place: str = Field(max_length=120)
    summary: str
    text: str
    figure: str | None = Field(None, max_length=40)
    figure_of: str | None = Field(None, max_length=80)
    sources: list[SourceEntry] = []

    def columns(self) -> dict[str, Any]:
        """Return what a `Story` keeps of this, by column."""
        return {**self.model_dump(exclude={"sources"}), "sources": [str(source) for source in self.sources]}


class TotalEntry(_File):
    """One past year of `stories.toml`."""

    year: int
    actions: int = Field(ge=0)
    label: str = Field(max_length=60)
    sources: list[SourceEntry] = []


class StoriesFile(_File):
    """`stories.toml`."""

    stories: list[StoryEntry] = []
    totals: list[TotalEntry] = []


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One file of `cases/`: a case's document and its place. `file` is where it was read."""

    file: str
    slug: str
    position: int | None
    document: CaseDocument
    lines: Mapping[Path, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeasonFiles:
    """A whole season as it was read; `lines` say where each story stands in its file."""

    season: SeasonFile
    cases: list[CaseFile]
    stories: list[StoryEntry]
    totals: list[TotalEntry]
    story_lines: Mapping[Path, int]
    season_lines: Mapping[Path, int]


def read_season(files: Mapping[str, bytes], *, counted: bool = False) -> SeasonFiles:
    """Read a season from its files' bytes by name; `counted` allows days that are counted from today.

    Raises `BadFiles` with every problem there is.
    """
    reader = _Reader()
    season = reader.season(files, counted=counted)
    cases = [
        reader.case(name, data) for name, data in sorted(files.items()) if PurePosixPath(name).parent.name == CASES
    ]
    stories, story_lines = reader.stories(files.get(STORIES, b""))
    reader.find_twins(cases)
    if reader.problems or season is None:
        raise BadFiles(reader.problems)
    return SeasonFiles(
        season=season[0],
        cases=[case for case in cases if case is not None],
        stories=stories.stories,
        totals=stories.totals,
        story_lines=story_lines,
        season_lines=season[1],
    )


def season_row(file: SeasonFile, days: Mapping[str, date]) -> Season:
    """Return the season of a file as a row that is in no session."""
    return Season(
        slug=file.slug, name=file.name, goal=file.goal, letters_collected_at=file.letters_collected_at, **days
    )


M = TypeVar("M", bound=BaseModel)


class _Reader:
    """Reads files and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def season(self, files: Mapping[str, bytes], *, counted: bool) -> tuple[SeasonFile, Mapping[Path, int]] | None:
        if SEASON not in files:
            self.problems.append(Problem(SEASON, 1, _l("this file is missing")))
            return None
        data, lines = self._parse(SEASON, files[SEASON])
        if data is None:
            return None
        found = self._validate(SeasonFile, data, SEASON, lines)
        if found is None:
            return None
        wanted = COUNTED_DATES if counted and found.opens is None else SEASON_DATES
        missing = [name for name in wanted if getattr(found, name) is None]
        self._say(SEASON, lines, ((), _l("%(key)s is missing", key=", ".join(missing))) if missing else None)
        return found, lines

    def case(self, name: str, content: bytes) -> CaseFile | None:
        data, lines = self._parse(name, content)
        if data is None:
            return None
        slug, position, checked = data.pop("slug", None), data.pop("position", None), data.pop("checked", None)
        if checked is not None:
            for source in _tables(data.get("sources")):
                source.setdefault("checked_on", checked)
        self._say(name, lines, *_place_problems(slug, position, checked), *_photograph_problems(data))
        self._say(name, lines, *_case_problems(data))
        document = self._validate(CaseDocument, data, name, lines)
        if document is None or not isinstance(slug, str):
            return None
        return CaseFile(name, slug, position, document, lines)

    def stories(self, content: bytes) -> tuple[StoriesFile, Mapping[Path, int]]:
        data, lines = self._parse(STORIES, content)
        found = self._validate(StoriesFile, data, STORIES, lines) if data is not None else None
        if found is None:
            return StoriesFile(), lines
        self._say(STORIES, lines, *_story_problems(found))
        return found, lines

    def find_twins(self, cases: Iterable[CaseFile | None]) -> None:
        first: dict[str, str] = {}
        for case in cases:
            if case is None:
                continue
            if case.slug in first:
                words = _l("the slug %(slug)s is that of %(file)s too", slug=case.slug, file=first[case.slug])
                self._say(case.file, case.lines, (("slug",), words))
            first.setdefault(case.slug, case.file)

    def _parse(self, name: str, content: bytes) -> tuple[dict[str, Any] | None, Mapping[Path, int]]:
        try:
            text = content.decode()
        except UnicodeDecodeError as problem:
            line = content[: problem.start].count(b"\n") + 1
            self.problems.append(Problem(name, line, _l("this is not written in UTF-8")))
            return None, {}
        try:
            return tomllib.loads(text), lines_of(text)
        except tomllib.TOMLDecodeError as problem:
            self.problems.append(Problem(name, _line_of(problem, text), problem.args[0]))
            return None, {}

    def _validate(self, model: type[M], data: dict[str, Any], name: str, lines: Mapping[Path, int]) -> M | None:
        try:
            return model.model_validate(data)
        except ValidationError as problem:
            for error in problem.errors():
                self._say(name, lines, (error["loc"], _words_of(error)))
            return None

    def _say(self, name: str, lines: Mapping[Path, int], *found: tuple[Path, object] | None) -> None:
        """Note problems, each at the line of its key, or of the nearest thing around it that has a line."""
        for path, words in filter(None, found):
            near = next((path[:depth] for depth in range(len(path), 0, -1) if path[:depth] in lines), ())
            self.problems.append(Problem(name, lines.get(near, 1), words))


def _line_of(problem: tomllib.TOMLDecodeError, text: str) -> int:
    found = re.search(r"\(at line (\d+), column \d+\)", str(problem))
    return int(found[1]) if found else text.count("\n") + 1


def _words_of(error: ErrorDetails) -> object:
    """Say what pydantic found in the words of who wrote the file."""
    key = next((str(part) for part in reversed(error["loc"]) if isinstance(part, str) and part != "[key]"), "")
    words = {
        "extra_forbidden": _l("%(key)s is no key of this file", key=key),
        "missing": _l("%(key)s is missing", key=key),
        "string_type": _l("%(key)s must be text", key=key),
        "string_too_long": _l(
            "%(key)s is longer than %(most)s characters", key=key, most=error.get("ctx", {}).get("max_length")
        ),
        "list_type": _l("%(key)s must be a list", key=key),
        "enum": _l("%(key)s: %(given)s is not one of %(known)s", key=key, given=error["input"],
                   known=error.get("ctx", {}).get("expected")),
    }  # fmt: skip
    return words.get(error["type"]) or f"{key}: {error['msg']}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _tables(value: Any) -> list[dict[str, Any]]:
    return [entry if isinstance(entry, dict) else {} for entry in _list(value)]


def _place_problems(slug: Any, position: Any, checked: Any) -> Iterator[tuple[Path, object]]:
    if slug is None:
        yield (), _l("%(key)s is missing", key="slug")
    elif not isinstance(slug, str) or len(slug) > 80 or not re.match(SLUG, slug):
        yield ("slug",), _l("slug must be small letters, figures and single hyphens, as in an address")
    if position is not None and (not isinstance(position, int) or isinstance(position, bool)):
        yield ("position",), _l("position must be a number")
    if checked is not None and not isinstance(checked, date):
        yield ("checked",), _l("checked must be a day, such as 2026-11-20")


def _photograph_problems(data: dict[str, Any]) -> Iterator[tuple[Path, object]]:
    for key in ("photograph", "photograph_credit"):
        if data.pop(key, None) is not None:
            yield (key,), _l("photographs do not travel in files: upload it at the desk, with a consent of your own")


def _case_problems(data: dict[str, Any]) -> Iterator[tuple[Path, object]]:
    """Yield what no type can tell. It looks at the file's own values, so that no other problem hides one of these."""
    for key in ("name", "country"):
        if not data.get(key):
            yield (key,), _l("%(key)s is missing", key=key)
    for key, known in (("pattern", tuple(FAMILIES)), ("colours", PAIRS)):
        if data.get(key, known[0]) not in known:
            yield (key,), _l("%(key)s is not one of %(known)s", key=key, known=", ".join(known))
    for path, code in _countries(data):
        if isinstance(code, str) and len(code) <= 2 and not is_country(code):
            yield path, _l("“%(code)s” is no country: write its two letters, such as TG", code=code)
    yield from _text_problems(data)
    yield from _tag_problems(data)


def _countries(data: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    yield ("country",), data.get("country") or None
    for index, target in enumerate(_tables(data.get("targets"))):
        yield ("targets", index, "country"), target.get("country")
        yield from ((("targets", index, "unreached_from"), code) for code in _list(target.get("unreached_from")))
        embassies = target.get("embassies")
        if isinstance(embassies, dict):
            yield from ((("targets", index, "embassies", code), code) for code in embassies)


def _text_problems(data: dict[str, Any]) -> Iterator[tuple[Path, object]]:
    for language, text in _texts(data):
        if not _is_language(language):
            yield ("texts", language), _no_language(language)
        for part in PLACEHOLDERS:
            try:
                check_placeholders(part, _words(text, part))
            except UnknownPlaceholder as problem:
                yield ("texts", language, part), str(problem)


def _tag_problems(data: dict[str, Any]) -> Iterator[tuple[Path, object]]:
    tags = [source.get("tag") for source in _tables(data.get("sources"))]
    for index, tag in enumerate(tags):
        if tags.count(tag) > 1:
            yield ("sources", index, "tag"), _l("the tag %(tag)s stands twice", tag=tag)
    for path, words in _tagged(data):
        for tag in source_tags(words):
            if tag not in tags:
                yield path, _l("the tag %(tag)s has no source", tag=tag)


def _tagged(data: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    for language, text in _texts(data):
        for part in ("summary", "story", "ask"):
            yield ("texts", language, part), _words(text, part)
    for index, update in enumerate(_tables(data.get("updates"))):
        yield ("updates", index, "text"), _words(update, "text")
    for index, target in enumerate(_tables(data.get("targets"))):
        yield ("targets", index, "source_tags"), f"[{_words(target, 'source_tags')}]"


def _texts(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    texts = data.get("texts")
    if isinstance(texts, dict):
        yield from ((language, text) for language, text in texts.items() if isinstance(text, dict))


def _words(part: dict[str, Any], name: str) -> str:
    value = part.get(name)
    return value.strip() if isinstance(value, str) else ""


def _story_problems(file: StoriesFile) -> Iterator[tuple[Path, object]]:
    seen: set[tuple[str, str]] = set()
    for index, story in enumerate(file.stories):
        if not _is_language(story.language):
            yield ("stories", index, "language"), _no_language(story.language)
        if (story.slug, story.language) in seen:
            yield ("stories", index, "slug"), _l("the slug %(slug)s stands twice in this language", slug=story.slug)
        seen.add((story.slug, story.language))
        tags = {source.tag for source in story.sources}
        for part in ("summary", "text"):
            for tag in source_tags(getattr(story, part)):
                if tag not in tags:
                    yield ("stories", index, part), _l("the tag %(tag)s has no source", tag=tag)


def _no_language(tag: str) -> object:
    return _l("“%(tag)s” is no language: write its tag, such as fr", tag=tag)


def _is_language(tag: str) -> bool:
    try:
        Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return False
    return len(tag) <= 12
