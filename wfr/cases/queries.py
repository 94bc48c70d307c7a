"""The reads that pages need of seasons and cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import selectinload

from wfr.cases.models import (
    Case,
    CaseStatus,
    Installation,
    Photograph,
    PhotographFile,
    Reply,
    Season,
    SeasonState,
    Story,
    StoryState,
    YearTotal,
)
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, db, kept
from wfr.pages import SHELF_SECONDS

T = TypeVar("T")

VISIBLE = (CaseStatus.PUBLISHED, CaseStatus.PAUSED, CaseStatus.CLOSED, CaseStatus.WITHDRAWN)
WITH_ALL_PARTS = tuple(selectinload(part) for part in (Case.season, Case.texts, Case.targets, Case.updates))
ON_SHELF_AFTER_END = timedelta(days=60)
"""How long a case without a season stays on the shelf when it is over: a network has hundreds of them a year."""

KEPT_APART = 200
"""How many of the cases that are no longer on the shelf a process keeps for a moment, once somebody asked for them."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything visitors may see of seasons and cases, read at one moment and shared by all requests for a moment.

    The rows are detached: they answer questions about themselves and can neither load nor store anything.
    `cases` lacks those without a season that have been over for `ON_SHELF_AFTER_END`; `case`, `by_id` and `photograph`
    find these too, one by one and no older than the shelf.
    """

    demonstration: bool
    season: Season | None
    cases: dict[str, Case]
    stories: list[Story]
    totals: list[YearTotal]
    photographs: dict[str, Photograph]

    def case(self, slug: str) -> Case:
        """Return the case at this address; raises `NoSuchThing`."""
        found = self.cases.get(slug) or _case_apart(f"slug {slug}", Case.slug == slug)
        if found is None:
            raise NoSuchThing(slug)
        return found

    def by_id(self, case_id: int) -> Case:
        """Return the case with this id; raises `NoSuchThing`."""
        case = next((case for case in self.cases.values() if case.id == case_id), None)
        case = case or _case_apart(f"id {case_id}", Case.id == case_id)
        if case is None:
            raise NoSuchThing(str(case_id))
        return case

    def photograph(self, photograph: str | None) -> Photograph | None:
        """Return a photograph that visitors may see on a case, or None."""
        if not photograph or photograph in self.photographs:
            return self.photographs.get(photograph or "")
        return _apart(f"photograph {photograph}", lambda: _read_photograph(photograph))

    def featured(self) -> list[Case]:
        """Return the present season's cases that visitors may see, in the desk's order."""
        return [
            case
            for case in self.cases.values()
            if self.season and case.season_id == self.season.id and case.status != CaseStatus.WITHDRAWN
        ]

    def for_schools(self, today: date) -> list[Case]:
        """Return the featured cases that classes may write for now: open, and the consent covers schools."""
        return [case for case in self.featured() if case.for_schools(today)]

    def of_the_day(self, today: date) -> list[Case]:
        """Return the featured cases, beginning with another one each day, so that nobody is always last."""
        cases = self.featured()
        first = today.toordinal() % len(cases) if cases else 0
        return cases[first:] + cases[:first]

    def after(self, case: Case, today: date) -> Case | None:
        """Return the next featured case that can be acted on, or None when there is no other."""
        cases = self.featured()
        index = next((i for i, other in enumerate(cases) if other.slug == case.slug), 0)
        turned = cases[index + 1 :] + cases[:index]
        return next((other for other in turned if other.standing(today) == "open"), None)

    def stories_in(self, language: str) -> list[Story]:
        """Return the stories in `language`, or in English where there are none."""
        mine = [story for story in self.stories if story.language == language]
        return mine or [story for story in self.stories if story.language == "en"]


def today() -> date:
    """Return the present day; the calendar of a world-wide campaign is UTC."""
    return datetime.now(UTC).date()


def shelf() -> Shelf:
    """Return what visitors may see, at most `SHELF_SECONDS` old (twice that while it is being read anew)."""
    return kept().get("shelf", SHELF_SECONDS, _read_shelf)


def _read_shelf() -> Shelf:
    # A session of its own, closed at once: the rows are shared between threads and must belong to none.
    with db.session.session_factory() as session:
        seasons = session.scalars(select(Season)).all()
        cases = session.scalars(
            select(Case)
            .where(Case.status.in_(VISIBLE), _has_its_place(today()))
            .order_by(Case.position, Case.id)
            .options(*WITH_ALL_PARTS)
        ).all()
        read = Shelf(
            demonstration=is_demonstration(session),
            season=_present(list(seasons), today()),
            cases={case.slug: case for case in cases},
            stories=list(
                session.scalars(select(Story).where(Story.state == StoryState.PUBLISHED).order_by(Story.position))
            ),
            totals=list(session.scalars(select(YearTotal).order_by(YearTotal.year))),
            photographs=_shown_on(session, cases),
        )
        session.expunge_all()
    return read


def _has_its_place(day: date) -> ColumnElement[bool]:
    """Say, in SQL, which cases stand on the shelf: a season's, and others that are open or were until lately."""
    since = day - ON_SHELF_AFTER_END
    running = Case.status.in_((CaseStatus.PUBLISHED, CaseStatus.PAUSED))
    return or_(
        Case.season_id.is_not(None),
        Case.status_at >= datetime.combine(since, time.min),
        and_(running, or_(Case.deadline.is_(None), Case.deadline >= since)),
    )


def _case_apart(name: str, which: ColumnElement[bool]) -> Case | None:
    """Return a case that visitors may see and that is not on the shelf, or None."""

    def read() -> Case | None:
        with db.session.session_factory() as session:
            found = session.scalar(select(Case).where(which, Case.status.in_(VISIBLE)).options(*WITH_ALL_PARTS))
            session.expunge_all()
        return found

    return _apart(name, read)


def _read_photograph(photograph: str) -> Photograph | None:
    seen = select(Case.id).where(
        Case.photograph == photograph, Case.status.in_(VISIBLE), Case.status != CaseStatus.WITHDRAWN
    )
    with db.session.session_factory() as session:
        found = session.scalar(select(Photograph).where(Photograph.id == photograph, seen.exists()))
        session.expunge_all()
    return found


def _apart(name: str, read: Callable[[], T]) -> T:
    found = kept().get(f"apart {name}", SHELF_SECONDS, read)
    kept().keep_newest("apart ", KEPT_APART)
    return found


def _shown_on(session: AnySession, cases: Sequence[Case]) -> dict[str, Photograph]:
    shown = {case.photograph for case in cases if case.photograph and case.status != CaseStatus.WITHDRAWN}
    found = session.scalars(select(Photograph).where(Photograph.id.in_(shown))) if shown else ()
    return {photograph.id: photograph for photograph in found}


def find_photograph(photograph: str | None) -> Photograph | None:
    """Return a photograph that the desk has, shown to visitors or not."""
    return db.session.get(Photograph, photograph) if photograph else None


def photograph_file(photograph: str, width: int, file_format: str) -> bytes:
    """Return one of a photograph's files; raises `NoSuchThing`."""
    found = db.session.get(PhotographFile, (photograph, width, file_format))
    if found is None:
        raise NoSuchThing(photograph)
    return found.data


def find_season(slug: str) -> Season:
    """Return a season with its cases; raises `NoSuchThing`."""
    season = db.session.scalar(select(Season).where(Season.slug == slug).options(selectinload(Season.cases)))
    if season is None:
        raise NoSuchThing(slug)
    return season


def all_stories() -> list[Story]:
    """Return every story, published or not, as the desk orders them."""
    return list(db.session.scalars(select(Story).order_by(Story.position, Story.slug, Story.language)))


def find_story(slug: str, language: str) -> Story:
    """Return a story, published or not; raises `NoSuchThing`."""
    story = db.session.scalar(select(Story).where(Story.slug == slug, Story.language == language))
    if story is None:
        raise NoSuchThing(slug)
    return story


def replies_to(case: Case) -> list[Reply]:
    """Return the replies to letters about a case, the newest first."""
    found = select(Reply).where(Reply.case_id == case.id).order_by(Reply.dated.desc(), Reply.id.desc())
    return list(db.session.scalars(found))


def is_demonstration(session: AnySession) -> bool:
    """Say whether this database was stamped as a demonstration."""
    installation = session.get(Installation, 1)
    return bool(installation and installation.demonstration)


def _present(seasons: list[Season], day: date) -> Season | None:
    """Choose the season that visitors see: the open one, else the next within a year, else the last."""
    opened = [season for season in seasons if season.state(day) is SeasonState.OPEN]
    if opened:
        return max(opened, key=lambda season: season.opens)
    past = max((s for s in seasons if s.closes < day), key=lambda s: s.closes, default=None)
    coming = min((s for s in seasons if s.opens > day), key=lambda s: s.opens, default=None)
    if coming and (past is None or (coming.opens - day).days < (day - past.closes).days):
        return coming
    return past
