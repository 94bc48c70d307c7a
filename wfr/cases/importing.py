"""Taking over a season from files: everything lands as drafts, or nothing lands at all."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from wfr.cases.documents import CaseDocument
from wfr.cases.drafting import OPEN_STATES, add_editor, add_version, lock_case, newest_version
from wfr.cases.exporting import in_order
from wfr.cases.loading import folder_files, load_totals, season_dates
from wfr.cases.models import Case, CaseStatus, Season, Story
from wfr.cases.queries import is_demonstration
from wfr.cases.season_files import (
    CASES,
    SEASON,
    STORIES,
    BadFiles,
    CannotLoad,
    CaseFile,
    Problem,
    SeasonFiles,
    StoryEntry,
    read_season,
    season_row,
)
from wfr.cases.seasons import SeasonPlan, plan_problem
from wfr.cases.stories import StoryBusy, StoryWords, draft_story
from wfr.cases.toml_lines import Path as Place
from wfr.extensions import AnySession, transaction, utc_now
from wfr.staff.auditing import record
from wfr.staff.models import SHELL, Actor

MOST_ZIP_BYTES = 2 * 1024 * 1024
MOST_FILES = 500
MOST_UNPACKED_BYTES = 16 * 1024 * 1024


@dataclass(slots=True)
class Imported:
    """What an import made: the season's slug, and by slug which cases and stories are new, changed or as they were."""

    season: str
    season_is_new: bool = False
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)
    totals: int = 0


def import_season(*, by: Actor, files: Mapping[str, bytes]) -> Imported:
    """Take over a season from its files, by name: as drafts, which go the way of all drafts.

    A season that is not there yet is made; one that is there keeps its days. A case or story that is there keeps its
    published words and gets a draft. Totals of past years are public at once, so that only the server's shell may
    bring them. Raises `BadFiles` with every problem, and `CannotLoad`; then nothing was written.
    """
    read = read_season(files)
    with transaction() as session:
        if by == SHELL and is_demonstration(session):
            raise CannotLoad("This database is a demonstration and stays one. Set WFR_DATA or DATABASE_URL to another.")
        taking = _Taking(session, by, read)
        imported = taking.take()
        if taking.problems:
            raise BadFiles(taking.problems)
    return imported


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the season's files that a ZIP holds, by name; raises `CannotLoad` for any other ZIP, or none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _unpack(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError) as problem:
        raise CannotLoad(_l("This is no ZIP of a season.")) from problem


def read_path(path: Path) -> dict[str, bytes]:
    """Return the season's files in a folder or a ZIP; raises `CannotLoad`."""
    return folder_files(path) if path.is_dir() else unpack(path.read_bytes())


def _unpack(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_UNPACKED_BYTES:
        raise CannotLoad(_l("This ZIP holds more than any season."))
    root = _root(entries)
    files: dict[str, bytes] = {}
    room = MOST_UNPACKED_BYTES
    for entry in entries:
        name = entry.filename.removeprefix(root)
        if not _is_expected(name) or name in files:
            raise CannotLoad(_l("“%(name)s” is no file of a season.", name=entry.filename))
        # A ZIP may lie about its sizes: never more is read than it may hold.
        with archive.open(entry) as packed:
            files[name] = packed.read(room + 1)
        room -= len(files[name])
        if room < 0:
            raise CannotLoad(_l("This ZIP holds more than any season."))
    return files


def _root(entries: list[zipfile.ZipInfo]) -> str:
    """Return the folder that all files stand in, as when a whole folder was packed; or nothing."""
    found = next((entry.filename for entry in entries if entry.filename.split("/")[-1] == SEASON), SEASON)
    return found.removesuffix(SEASON)


def _is_expected(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return name in (SEASON, STORIES) or (folder == CASES and file.endswith(".toml") and file not in ("..", "."))


class _Taking:
    """One import in its transaction; gathers problems to the end, so that all are told."""

    def __init__(self, session: AnySession, by: Actor, read: SeasonFiles) -> None:
        self.session = session
        self.by = by
        self.read = read
        self.problems: list[Problem] = []

    def take(self) -> Imported:
        season, is_new = self._season()
        self._lock()
        done = Imported(season.slug, season_is_new=is_new)
        for file in self.read.cases:
            self._case(season, file, done)
        for index, story in enumerate(self.read.stories):
            self._story(index, story, done)
        if self.by == SHELL:
            load_totals(self.session, self.read.totals)
            done.totals = len(self.read.totals)
        told = {"new": done.new, "changed": done.changed, "stories": done.stories}
        record(self.session, self.by, "season.imported", f"season:{season.id}", after=told)
        return done

    def _season(self) -> tuple[Season, bool]:
        plan = self.read.season
        season = self.session.scalar(select(Season).where(Season.slug == plan.slug).with_for_update())
        if season is not None:
            return season, False
        season = season_row(plan, season_dates(plan, utc_now().date()))
        season.changed_at = utc_now()
        found = plan_problem(self.session, SeasonPlan.of(season), but=None)
        if found:
            self.problems.append(Problem(SEASON, self.read.season_lines.get((found.field,), 1), found.words))
        self.session.add(season)
        self.session.flush()
        return season, True

    def _lock(self) -> None:
        """Lock all that may be changed before the trail's head is: whoever holds that one must not wait for others."""
        cases, stories = [file.slug for file in self.read.cases], [story.slug for story in self.read.stories]
        self.session.execute(select(Case.id).where(Case.slug.in_(cases)).order_by(Case.id).with_for_update())
        self.session.execute(select(Story.id).where(Story.slug.in_(stories)).order_by(Story.id).with_for_update())

    def _case(self, season: Season, file: CaseFile, done: Imported) -> None:
        known = self.session.scalar(select(Case.season_id).where(Case.slug == file.slug))
        exists = self.session.scalar(select(func.count()).select_from(Case).where(Case.slug == file.slug))
        if not exists:
            done.new.append(file.slug)
            self._new_case(season, file)
        elif known != season.id:
            self._say(file, ("slug",), _l("a case at this address is part of another season"))
        else:
            self._new_version(file, done)

    def _new_case(self, season: Season, file: CaseFile) -> None:
        last = self.session.scalar(select(func.max(Case.position)).where(Case.season_id == season.id)) or 0
        document = file.document
        case = Case(
            slug=file.slug,
            name=document.name,
            country=document.country,
            status=CaseStatus.DRAFT,
            season_id=season.id,
            position=last + 1 if file.position is None else file.position,
            pattern=document.pattern,
            colours=document.colours,
        )
        self.session.add(case)
        self.session.flush()
        self._add_draft(case, document, based_on=None)

    def _new_version(self, file: CaseFile, done: Imported) -> None:
        case = lock_case(self.session, file.slug)
        newest = newest_version(self.session, case)
        present = CaseDocument.model_validate(newest.document)
        document = _with_photograph_of(present, file.document)
        if in_order(document) == in_order(present):
            done.unchanged.append(file.slug)
        elif newest.state in OPEN_STATES:
            self._say(file, ("slug",), _l("this case has a draft or a review open already; finish that one first"))
        elif case.status == CaseStatus.WITHDRAWN:
            self._say(file, ("slug",), _l("this case was withdrawn"))
        else:
            done.changed.append(file.slug)
            self._add_draft(case, document, based_on=newest.number)

    def _add_draft(self, case: Case, document: CaseDocument, *, based_on: int | None) -> None:
        version = add_version(self.session, self.by, case, document, based_on=based_on)
        add_editor(self.session, self.by, version)
        after = {"version": version.number, "digest": document.digest()}
        record(self.session, self.by, "version.imported", f"case:{case.id}", after=after)

    def _story(self, index: int, entry: StoryEntry, done: Imported) -> None:
        try:
            if draft_story(self.session, self.by, _key(entry), StoryWords.of_entry(entry), position=entry.position):
                done.stories.append(f"{entry.slug}/{entry.language}")
        except StoryBusy as problem:
            line = self.read.story_lines.get(("stories", index, "slug"), 1)
            self.problems.append(Problem(STORIES, line, problem.why))

    def _say(self, file: CaseFile, place: Place, words: object) -> None:
        self.problems.append(Problem(file.file, file.lines.get(place, 1), words))


def _key(entry: StoryEntry) -> tuple[str, str]:
    return entry.slug, entry.language


def _with_photograph_of(present: CaseDocument, document: CaseDocument) -> CaseDocument:
    """Return the document with the photograph that the case has: files carry none."""
    texts = {
        language: text.model_copy(
            update={"photograph_alt": present.texts[language].photograph_alt if language in present.texts else ""}
        )
        for language, text in document.texts.items()
    }
    kept = {"photograph": present.photograph, "photograph_credit": present.photograph_credit, "texts": texts}
    return document.model_copy(update=kept)
