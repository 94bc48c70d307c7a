"""The reads that pages need of seasons and cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import select
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

VISIBLE = (CaseStatus.PUBLISHED, CaseStatus.PAUSED, CaseStatus.CLOSED, CaseStatus.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything visitors may see of seasons and cases, read at one moment and shared by all requests for a moment.

    The rows are detached: they answer questions about themselves and can neither load nor store anything.
    """

    demonstration: bool
    season: Season | None
    cases: dict[str, Case]
    stories: list[Story]
    totals: list[YearTotal]
    photographs: dict[str, Photograph]

    def case(self, slug: str) -> Case:
        """Return the case at this address; raises `NoSuchThing`."""
        try:
            return self.cases[slug]
        except KeyError:
            raise NoSuchThing(slug) from None

    def by_id(self, case_id: int) -> Case:
        """Return the case with this id; raises `NoSuchThing`."""
        case = next((case for case in self.cases.values() if case.id == case_id), None)
        if case is None:
            raise NoSuchThing(str(case_id))
        return case

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
            .where(Case.status.in_(VISIBLE))
            .order_by(Case.position, Case.id)
            .options(*(selectinload(part) for part in (Case.season, Case.texts, Case.targets, Case.updates)))
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
