"""What the desk sees of a season: its progress, its days, its countries, and what stands out.

The ledger is read at most every 30 seconds a process; totals come from the counters, as they do everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import median

from sqlalchemy import ColumnElement, Date, extract, func, select
from sqlalchemy import case as sql_case

from wfr.cases.models import Case, Season
from wfr.cases.queries import shelf, today
from wfr.extensions import AnySession, db, kept, utc_now
from wfr.pledges.models import STANDING, Correction, CorrectionState, CountedParcel, Pledge, TallyCount
from wfr.pledges.queries import board
from wfr.pledges.spotting import PERIODS_BEFORE, is_spike
from wfr.pledges.tallying import Count, Figures

LEDGER_SECONDS = 30.0
COUNTRIES_NAMED = 20
RISES_NAMED = 20
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Conditions = tuple[ColumnElement[bool], ...]

SIMULATED = func.sum(sql_case((Pledge.simulated, 1), else_=0))


@dataclass(frozen=True, slots=True)
class Day:
    """The actions pledged on one day that stand, corrections and counted parcels left out."""

    day: date
    actions: int = 0
    simulated: int = 0
    spike: bool = False


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour that stands out: how many actions, and how many are usual at this hour."""

    begins: datetime
    actions: int
    usual: float


@dataclass(frozen=True, slots=True)
class Rise:
    """A case and country that stand out: the actions of the last 24 hours, and how many are usual in 24 hours."""

    case_id: int
    country: str
    actions: int
    usual: float


@dataclass(frozen=True, slots=True)
class CountryCount:
    """The count of one country; `country` is empty for the rest together."""

    country: str
    count: Count


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was read of the ledger at one moment: the season's days, and what stands out in the last 24 hours."""

    read_at: datetime
    days: list[Day] = field(default_factory=list)
    hours: list[Hour] = field(default_factory=list)
    rises: list[Rise] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the season is. `share` is in percent.

    `total` holds corrections and counted parcels; `today` and `yesterday` do not.
    """

    season: Season
    total: Figures
    today: int
    yesterday: int
    days_left: int
    share: int | None


@dataclass(frozen=True, slots=True)
class SeasonFigures:
    """Everything that the desk's page of numbers shows. `elsewhere` counts the actions for cases of no such season."""

    progress: Progress
    ledger: Ledger
    cases: list[tuple[Case, Figures]]
    countries: list[CountryCount]
    corrections: int
    parcels: int
    elsewhere: int


def season_progress() -> Progress | None:
    """Return how far the present season is, or None without one."""
    season = shelf().season
    return _progress(season, read_ledger(season)) if season else None


def season_figures() -> SeasonFigures | None:
    """Return the present season's figures, or None without one."""
    season = shelf().season
    if season is None:
        return None
    ledger = read_ledger(season)
    tally, cases = board(), _cases_of(season)
    ids = [case.id for case in cases]
    return SeasonFigures(
        progress=_progress(season, ledger),
        ledger=ledger,
        cases=[(case, tally.of(case)) for case in cases],
        countries=_by_country(db.session, ids),
        corrections=_corrections_of(db.session, ids),
        parcels=_parcels_of(db.session, ids),
        elsewhere=sum(figures.pledged for case_id, figures in tally.by_case.items() if case_id not in ids),
    )


def read_ledger(season: Season) -> Ledger:
    """Return what the ledger says of the season's days and the last 24 hours, at most `LEDGER_SECONDS` old."""

    def read() -> Ledger:
        ids = [case.id for case in _cases_of(season)]
        with db.session.session_factory() as session:
            return ledger_of(session, season, ids, utc_now())

    return kept().get(f"ledger of {season.slug}", LEDGER_SECONDS, read)


def ledger_of(session: AnySession, season: Season, case_ids: Sequence[int], now: datetime) -> Ledger:
    """Read the season's days and the last 24 hours from the ledger: two statements, each one pass over its rows."""
    mine = (Pledge.case_id.in_(case_ids), Pledge.state.in_(STANDING))
    recent = list(_recent(session, mine, season, now))
    return Ledger(
        read_at=now,
        days=_days(session, mine, season, now.date()),
        hours=_hours(recent, season, now),
        rises=_rises(recent, season, now),
    )


def _cases_of(season: Season) -> list[Case]:
    # The withdrawn ones too: what was done for them stays in the season's count.
    return [case for case in shelf().cases.values() if case.season_id == season.id]


def _progress(season: Season, ledger: Ledger) -> Progress:
    total = Figures()
    for case in _cases_of(season):
        for kind, count in board().of(case).kinds.items():
            total.add_kind(kind, count.pledged, count.taken, count.simulated)
    by_day = {day.day: day.actions for day in ledger.days}
    return Progress(
        season=season,
        total=total,
        today=by_day.get(today(), 0),
        yesterday=by_day.get(today() - DAY, 0),
        days_left=max((season.closes - today()).days, 0),
        share=min(total.pledged * 100 // season.goal, 100) if season.goal else None,
    )


def _days(session: AnySession, mine: Conditions, season: Season, now: date) -> list[Day]:
    day = func.date(Pledge.pledged_at, type_=Date)
    rows = session.execute(
        select(day, func.count(), SIMULATED)
        .where(*mine, Pledge.pledged_at >= _midnight(season.opens), Pledge.pledged_at < _midnight(season.closes + DAY))
        .group_by(day)
    )
    found = {found_day: (int(actions), int(simulated)) for found_day, actions, simulated in rows}
    length = (min(now, season.closes) - season.opens).days + 1
    days = [season.opens + DAY * number for number in range(max(length, 0))]
    counts = [found.get(each, (0, 0)) for each in days]
    return [
        Day(
            each, *count, spike=is_spike(count[0], [past for past, _ in counts[max(index - PERIODS_BEFORE, 0) : index]])
        )
        for index, (each, count) in enumerate(zip(days, counts, strict=True))
    ]


@dataclass(frozen=True, slots=True)
class _Bucket:
    hours_ago: int
    case_id: int
    country: str
    actions: int


def _recent(session: AnySession, mine: Conditions, season: Season, now: datetime) -> Iterator[_Bucket]:
    """Yield the actions of the last 24 hours and of the 14 days before them, by hour, case and country."""
    this_hour = _hour(now)
    since = max(this_hour - (PERIODS_BEFORE + 1) * DAY + HOUR, _midnight(season.opens))
    day, hour = func.date(Pledge.pledged_at, type_=Date), extract("hour", Pledge.pledged_at)
    rows = session.execute(
        select(day, hour, Pledge.case_id, Pledge.country, func.count())
        .where(*mine, Pledge.pledged_at >= since)
        .group_by(day, hour, Pledge.case_id, Pledge.country)
    )
    for found_day, found_hour, case_id, country, actions in rows:
        begins = _midnight(found_day) + int(found_hour) * HOUR
        yield _Bucket((this_hour - begins) // HOUR, case_id, country, int(actions))


def _hours(recent: list[_Bucket], season: Season, now: datetime) -> list[Hour]:
    """Return the spikes among the last 24 hours, each compared with the same hour of the days before."""
    counts: Counter[int] = Counter()
    for bucket in recent:
        counts[bucket.hours_ago] += bucket.actions
    spikes = []
    for ago in range(24):
        begins = _hour(now) - ago * HOUR
        past = [counts[ago + 24 * day] for day in range(1, _whole_days(season, begins) + 1)]
        if is_spike(counts[ago], past):
            spikes.append(Hour(begins, counts[ago], median(past)))
    return spikes


def _rises(recent: list[_Bucket], season: Season, now: datetime) -> list[Rise]:
    """Return the cases and countries whose last 24 hours stand out from the 24 hours before, and so on back."""
    counts: dict[tuple[int, str], Counter[int]] = {}
    for bucket in recent:
        counts.setdefault((bucket.case_id, bucket.country), Counter())[bucket.hours_ago // 24] += bucket.actions
    whole = _whole_days(season, _hour(now) - DAY + HOUR)
    rises = []
    for (case_id, country), windows in counts.items():
        past = [windows[number] for number in range(1, whole + 1)]
        if is_spike(windows[0], past):
            rises.append(Rise(case_id, country, windows[0], median(past)))
    return sorted(rises, key=lambda rise: -rise.actions)[:RISES_NAMED]


def _whole_days(season: Season, moment: datetime) -> int:
    """Return how many whole days lie between the season's opening and `moment`, at most those that are compared."""
    return min(max((moment - _midnight(season.opens)) // DAY, 0), PERIODS_BEFORE)


def _by_country(session: AnySession, case_ids: Sequence[int]) -> list[CountryCount]:
    sums = (func.sum(TallyCount.pledged), func.sum(TallyCount.taken), func.sum(TallyCount.simulated))
    rows = session.execute(
        select(TallyCount.country, *sums).where(TallyCount.case_id.in_(case_ids)).group_by(TallyCount.country)
    )
    counts = [CountryCount(country, Count(*map(int, figures))) for country, *figures in rows]
    counts.sort(key=lambda each: (-each.count.pledged, each.country))
    rest = Count()
    for each in counts[COUNTRIES_NAMED:]:
        rest.add(each.count.pledged, each.count.taken, each.count.simulated)
    named = [each for each in counts[:COUNTRIES_NAMED] if each.count.pledged]
    return [*named, CountryCount("", rest)] if rest.pledged else named


def _corrections_of(session: AnySession, case_ids: Sequence[int]) -> int:
    entered = (Correction.state == CorrectionState.ENTERED, Correction.case_id.in_(case_ids))
    return int(session.scalar(select(func.sum(Correction.number)).where(*entered)) or 0)


def _parcels_of(session: AnySession, case_ids: Sequence[int]) -> int:
    counted = select(func.sum(CountedParcel.number)).where(CountedParcel.case_id.in_(case_ids))
    return int(session.scalar(counted) or 0)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
