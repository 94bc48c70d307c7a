"""Seasons: made, changed, put in order, opened and closed before their time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from wfr.cases.models import Case, Season, SeasonState
from wfr.cases.season_files import SLUG
from wfr.errors import NoSuchThing, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.staff.auditing import record
from wfr.staff.models import Actor

RESERVED = frozenset({"new", "import"})
"""Slugs that are addresses of the desk itself."""


@dataclass(frozen=True, slots=True)
class SeasonPlan:
    """What a season is: its name, its days (UTC, the last one included), its goal, and where letters are gathered."""

    name: str
    opens: date
    key_date: date
    closes: date
    reports_due: date
    goal: int | None = None
    letters_collected_at: str | None = None

    @classmethod
    def of(cls, season: Season) -> SeasonPlan:
        """Return the plan of a stored season."""
        return cls(**{name: getattr(season, name) for name in cls.__slots__})

    def a_year_later(self) -> SeasonPlan:
        """Return the same plan with its days in the year after."""
        days = {name: _a_year_later(getattr(self, name)) for name in ("opens", "key_date", "closes", "reports_due")}
        return SeasonPlan(name=self.name, goal=self.goal, letters_collected_at=self.letters_collected_at, **days)


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """What is wrong with a plan: at which field, in words."""

    field: str
    words: object


class BadPlan(Refused):
    """A season cannot be like this; `problem` says which field is wrong."""

    def __init__(self, problem: PlanProblem) -> None:
        super().__init__(problem.words)
        self.problem = problem


def plan_problem(session: AnySession, plan: SeasonPlan, *, but: Season | None) -> PlanProblem | None:
    """Return what is wrong with a plan's days, or None; `but` is the season whose plan it is, if it is stored."""
    if plan.opens > plan.closes:
        return PlanProblem("closes", _l("The season closes before it opens."))
    if not plan.opens <= plan.key_date <= plan.reports_due:
        return PlanProblem("key_date", _l("The key date lies outside the season."))
    if plan.closes > plan.reports_due:
        return PlanProblem("reports_due", _l("Reports are due before the season has closed."))
    others = select(Season).where(Season.opens <= plan.closes, Season.closes >= plan.opens)
    other = next((season for season in session.scalars(others) if season is not but), None)
    if other is not None:
        return PlanProblem("opens", _l("Two seasons at once: %(name)s is open on some of these days.", name=other.name))
    return None


def make_season(*, by: Actor, slug: str, plan: SeasonPlan) -> None:
    """Make a season without cases. Raises `BadPlan`, also where the address is taken."""
    with transaction() as session:
        if not re.match(SLUG, slug) or len(slug) > 40 or slug in RESERVED:
            raise BadPlan(PlanProblem("slug", _l("Small letters, figures and single hyphens, such as 2027.")))
        if session.scalar(select(Season.id).where(Season.slug == slug)):
            raise BadPlan(PlanProblem("slug", _l("There is a season at this address already.")))
        season = Season(slug=slug, changed_at=utc_now())
        _set_plan(session, season, plan)
        session.add(season)
        session.flush()
        record(session, by, "season.made", f"season:{season.id}", after=_told(season))


def change_season(*, by: Actor, slug: str, plan: SeasonPlan) -> None:
    """Change a season's name, days, goal or place for letters. Raises `NoSuchThing`, `BadPlan`."""
    with transaction() as session:
        season = _lock(session, slug)
        before = _told(season)
        _set_plan(session, season, plan)
        if _told(season) != before:
            season.changed_at = utc_now()
            record(session, by, "season.changed", f"season:{season.id}", before=before, after=_told(season))


def open_season(*, by: Actor, slug: str) -> None:
    """Open a coming season today instead of on its day. Raises `NoSuchThing`, `Refused`, `BadPlan`."""
    with transaction() as session:
        season, today = _lock(session, slug), utc_now().date()
        if season.state(today) is not SeasonState.COMING:
            raise Refused(_l("This season has opened already. To open it again, change the day it closes."))
        before = _told(season)
        season.opens, season.changed_at = today, utc_now()
        problem = plan_problem(session, SeasonPlan.of(season), but=season)
        if problem:
            raise BadPlan(problem)
        record(session, by, "season.opened", f"season:{season.id}", before=before, after=_told(season))


def close_season(*, by: Actor, slug: str) -> None:
    """Make today an open season's last day. Raises `NoSuchThing`, `Refused`."""
    with transaction() as session:
        season, today = _lock(session, slug), utc_now().date()
        if season.state(today) is not SeasonState.OPEN:
            raise Refused(_l("This season is not open."))
        before = _told(season)
        season.closes, season.changed_at = today, utc_now()
        record(session, by, "season.closed", f"season:{season.id}", before=before, after=_told(season))


def order_cases(*, by: Actor, slug: str, order: Sequence[str]) -> None:
    """Put a season's cases into this order, given by their slugs.

    Raises `NoSuchThing`, and `Refused` where these are not the season's cases any more.
    """
    with transaction() as session:
        _order(session, by, _lock(session, slug), lambda _present: list(order))


def move_case(*, by: Actor, slug: str, case: str, steps: int) -> None:
    """Move a case so many places down its season's order, or up where `steps` is negative; the ends stop it.

    Raises `NoSuchThing`, and `Refused` where the case is not the season's.
    """

    def moved(present: list[str]) -> list[str]:
        if case not in present:
            return []
        place = max(0, present.index(case) + steps)
        rest = [other for other in present if other != case]
        return [*rest[:place], case, *rest[place:]]

    with transaction() as session:
        _order(session, by, _lock(session, slug), moved)


def _order(session: AnySession, by: Actor, season: Season, wanted: Any) -> None:
    cases = session.scalars(
        select(Case).where(Case.season_id == season.id).order_by(Case.position, Case.id).with_for_update()
    ).all()
    present = [case.slug for case in cases]
    order = wanted(present)
    if sorted(order) != sorted(present):
        raise Refused(_l("The season has other cases by now. Look at the list again."))
    if order == present:
        return
    for case in cases:
        case.position = order.index(case.slug) + 1
    season.changed_at = utc_now()
    told = f"season:{season.id}"
    record(session, by, "season.ordered", told, before={"order": present}, after={"order": list(order)})


def _lock(session: AnySession, slug: str) -> Season:
    season = session.scalar(
        select(Season).where(Season.slug == slug).with_for_update().execution_options(populate_existing=True)
    )
    if season is None:
        raise NoSuchThing(slug)
    return season


def _set_plan(session: AnySession, season: Season, plan: SeasonPlan) -> None:
    with session.no_autoflush:
        problem = plan_problem(session, plan, but=season)
    if problem:
        raise BadPlan(problem)
    for name, value in asdict(plan).items():
        setattr(season, name, value)


def _told(season: Season) -> dict[str, Any]:
    plan = asdict(SeasonPlan.of(season))
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in plan.items()}


def _a_year_later(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)
