"""The reads that the desk's pages of drives need: what waits, schools by country, and everything about one drive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from wfr.cases.models import Case, Season
from wfr.cases.queries import find_season, shelf, today
from wfr.drives.codes import code_of
from wfr.drives.doubles import doubles_of
from wfr.drives.models import Drive, DriveCase, DriveNotice, DrivePledge, DriveReport, ReportState, Sort
from wfr.drives.queries import (
    drives_at_limit,
    last_time,
    limit_reached,
    reports_of,
    waiting_names,
    waiting_reports,
)
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, db
from wfr.pledges.models import Pledge, PledgeState

MOST_WAITING = 20
MOST_LISTED = 100
"""How many drives a list shows; the desk is told where there are more."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How many drives wait for the desk: for their name, their count, or because their join code met its limit."""

    names: int
    reports: int
    at_limit: int

    @property
    def any(self) -> bool:
        """Whether anything waits."""
        return bool(self.names or self.reports or self.at_limit)


@dataclass(slots=True)
class Sums:
    """The numbers of one drive or of several, of letters and cards. Reported and counted are never added together."""

    drives: int = 0
    joined: int = 0
    reported: int = 0
    counted: int = 0

    def add(self, other: Sums) -> None:
        """Take in the numbers of further drives."""
        self.drives += other.drives
        self.joined += other.joined
        self.reported += other.reported
        self.counted += other.counted


@dataclass(frozen=True, slots=True)
class Schools:
    """The drives of a season: each with its numbers, by country, and together; `seasons` are those to choose from."""

    season: Season | None
    seasons: Sequence[Season]
    drives: Sequence[tuple[Drive, Sums]]
    countries: Sequence[tuple[str, Sums]]
    total: Sums


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which drives of a season to list: whose name has these words, of a country.

    Where `by_address`, the words may also be the teacher's whole address.
    """

    words: str = ""
    country: str = ""
    by_address: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One line that a teacher reported and nobody has counted, and how many came by the code."""

    case: Case
    report: DriveReport
    joined: int


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A drive with the lines of its report that wait to be counted."""

    drive: Drive
    lines: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for the desk, the oldest first, at most `MOST_WAITING` of each."""

    names: Sequence[tuple[Drive, Sequence[Drive]]]
    reports: Sequence[WaitingReport]
    at_limit: Sequence[Drive]


@dataclass(frozen=True, slots=True)
class Tallied:
    """One line of a drive's tally as the desk sees it. `joined` are all that came by the code, counted since or not."""

    case: Case
    sort: Sort
    joined: int
    report: DriveReport | None


@dataclass(frozen=True, slots=True)
class DriveAtDesk:
    """Everything about one drive. `cases` are those it has chosen, withdrawn ones too; `lines` where there is a number.

    `doubles` may be the same drive; `others` are all that it could become a part of; `merged_into` is the one it did.
    """

    drive: Drive
    season: Season
    code: str | None
    cases: Sequence[Case]
    lines: Sequence[Tallied]
    mails: Sequence[DriveNotice]
    doubles: Sequence[Drive]
    others: Sequence[Drive]
    merged_into: Drive | None
    before: tuple[Drive, int | None] | None


def drives_waiting() -> Waits:
    """Return how much waits for the desk, in all seasons."""
    return Waits(waiting_names(), waiting_reports(), drives_at_limit())


def schools(season_slug: str = "") -> Schools:
    """Return the drives of a season, by default of the present one; raises `NoSuchThing` for an unknown season."""
    season = find_season(season_slug) if season_slug else shelf().season
    seasons = db.session.scalars(select(Season).order_by(Season.opens.desc())).all()
    drives = _with_sums(db.session, season) if season else []
    countries: defaultdict[str, Sums] = defaultdict(Sums)
    total = Sums()
    for drive, sums in drives:
        countries[drive.country].add(sums)
        total.add(sums)
    ranked = sorted(countries.items(), key=lambda each: (-each[1].drives, each[0]))
    return Schools(season, seasons, drives, ranked, total)


def find_drives(found: Schools, wanted: Wanted) -> list[tuple[Drive, Sums]]:
    """Return those of a season's drives that are looked for, the newest first."""
    words = wanted.words.casefold()

    def is_wanted(drive: Drive) -> bool:
        written_to = wanted.by_address and drive.email is not None and drive.email.casefold() == words
        named = words in drive.name.casefold() or words == drive.slug or written_to
        return named and wanted.country in ("", drive.country)

    return [each for each in found.drives if is_wanted(each[0])]


def what_waits() -> Waiting:
    """Return what waits for the desk, in all seasons."""
    live = (Drive.confirmed_at.is_not(None), Drive.merged_into.is_(None))
    names = select(Drive).where(*live, Drive.name_state == "waiting", Drive.erased_at.is_(None))
    waiting = db.session.scalars(names.order_by(Drive.confirmed_at).limit(MOST_WAITING)).all()
    seasons = {drive.season_id for drive in waiting}
    others = db.session.scalars(select(Drive).where(*live, Drive.season_id.in_(seasons))).all() if seasons else ()
    at_limit = select(Drive).where(*limit_reached(today())).order_by(Drive.limit_met_at).limit(MOST_WAITING)
    return Waiting(
        names=[(drive, doubles_of(drive, others)) for drive in waiting],
        reports=_waiting_reports(db.session),
        at_limit=db.session.scalars(at_limit).all(),
    )


def drive_at_desk(slug: str) -> DriveAtDesk:
    """Return everything about a drive, also where nobody has confirmed it or it is merged; raises `NoSuchThing`."""
    drive = db.session.scalar(select(Drive).where(Drive.slug == slug).execution_options(populate_existing=True))
    if drive is None:
        raise NoSuchThing(slug)
    chosen = select(DriveCase.case_id).where(DriveCase.drive_id == drive.id)
    cases = db.session.scalars(select(Case).where(Case.id.in_(chosen)).order_by(Case.position, Case.id)).all()
    alike = (Drive.season_id == drive.season_id, Drive.country == drive.country, Drive.id != drive.id)
    live = (Drive.confirmed_at.is_not(None), Drive.merged_into.is_(None))
    others = db.session.scalars(select(Drive).where(*alike, *live).order_by(Drive.name)).all()
    before = last_time(drive)
    mails = select(DriveNotice).where(DriveNotice.drive_id == drive.id).order_by(DriveNotice.id.desc())
    return DriveAtDesk(
        drive=drive,
        season=db.session.get_one(Season, drive.season_id),
        code=code_of(db.session, drive),
        cases=cases,
        lines=_lines(db.session, drive, cases),
        mails=db.session.scalars(mails).all(),
        doubles=doubles_of(drive, others),
        others=others,
        merged_into=db.session.get(Drive, drive.merged_into) if drive.merged_into else None,
        before=(before[0], before[1].counted()) if before else None,
    )


def _lines(session: AnySession, drive: Drive, cases: Sequence[Case]) -> list[Tallied]:
    joined, reports = _joined_of(session, [drive.id]), reports_of(drive)
    lines = [
        Tallied(case, sort, joined.get((drive.id, case.id, sort.value), 0), reports.get((case.id, sort)))
        for case in cases
        for sort in Sort
    ]
    return [line for line in lines if line.joined or line.report]


def _with_sums(session: AnySession, season: Season) -> list[tuple[Drive, Sums]]:
    mine = (Drive.season_id == season.id, Drive.confirmed_at.is_not(None), Drive.merged_into.is_(None))
    told = (
        select(DriveReport.drive_id, func.sum(DriveReport.reported), func.sum(DriveReport.counted))
        .join(Drive)
        .where(*mine, DriveReport.sort != Sort.PETITION)
        .group_by(DriveReport.drive_id)
    )
    sums = {drive_id: (int(reported or 0), int(counted or 0)) for drive_id, reported, counted in session.execute(told)}
    drives = session.scalars(select(Drive).where(*mine).order_by(Drive.id.desc()))
    return [(drive, Sums(1, drive.joined, *sums.get(drive.id, (0, 0)))) for drive in drives]


def _waiting_reports(session: AnySession) -> list[WaitingReport]:
    """Return the drives with lines to count, the oldest report first: a fixed number of statements, however many."""
    to_count = (DriveReport.state == ReportState.REPORTED, DriveReport.reported > 0)
    since = func.min(DriveReport.reported_at)
    oldest = select(DriveReport.drive_id, since).where(*to_count).group_by(DriveReport.drive_id)
    first = [drive_id for drive_id, _since in session.execute(oldest.order_by(since).limit(MOST_WAITING))]
    if not first:
        return []
    drives = {drive.id: drive for drive in session.scalars(select(Drive).where(Drive.id.in_(first)))}
    joined = _joined_of(session, first)
    lines: defaultdict[int, list[Told]] = defaultdict(list)
    rows = (
        select(DriveReport, Case)
        .join(Case, Case.id == DriveReport.case_id)
        .where(*to_count, DriveReport.drive_id.in_(first))
        .order_by(Case.position, Case.id, DriveReport.sort)
    )
    for report, case in session.execute(rows):
        by_code = joined.get((report.drive_id, report.case_id, report.sort), 0)
        lines[report.drive_id].append(Told(case, report, by_code))
    return [WaitingReport(drives[drive_id], lines[drive_id]) for drive_id in first]


def _joined_of(session: AnySession, drive_ids: Sequence[int]) -> dict[tuple[int, int, str], int]:
    rows = session.execute(
        select(DrivePledge.drive_id, Pledge.case_id, Pledge.kind, func.count())
        .join(Pledge, Pledge.id == DrivePledge.pledge_id)
        .where(DrivePledge.drive_id.in_(drive_ids), Pledge.state != PledgeState.WITHDRAWN)
        .group_by(DrivePledge.drive_id, Pledge.case_id, Pledge.kind)
    )
    return {(drive_id, case_id, kind): int(count) for drive_id, case_id, kind, count in rows}
