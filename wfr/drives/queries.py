"""The reads that the pages of drives need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, func, select

from wfr.cases.models import Case, CaseStatus, Season
from wfr.cases.queries import shelf, today
from wfr.drives.codes import code_of
from wfr.drives.links import LinkFor, drive_of_link
from wfr.drives.models import Drive, DriveCase, DrivePledge, DriveReport, ReportState, Sort
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, db, kept
from wfr.pledges.models import STANDING, Pledge

TOTALS_SECONDS = 10.0


@dataclass(slots=True)
class SortNumbers:
    """The numbers of one sort: pledged with the join code, reported by the teacher, counted by the office.

    `reported` and `counted` are None where nobody has said; they are shown apart, never added.
    """

    joined: int = 0
    reported: int | None = None
    counted: int | None = None

    @property
    def standing(self) -> int:
        """What is in the public count for the drive: the count, or before it the pledges."""
        return self.joined if self.counted is None else self.counted


@dataclass(slots=True)
class DriveNumbers:
    """The numbers of a drive, by case id and sort."""

    lines: dict[tuple[int, Sort], SortNumbers] = field(default_factory=dict)

    def of(self, case_id: int, sort: Sort | str) -> SortNumbers:
        """Return the numbers of one case and sort, zeros where there are none."""
        return self.lines.get((case_id, Sort(sort)), SortNumbers())

    def written(self, case_id: int | None = None) -> int:
        """Return how many letters and cards stand in the count, for one case or for all."""
        return sum(
            line.standing for (found, sort), line in self.lines.items() if sort.kind and case_id in (None, found)
        )

    def reported(self, sort: Sort | str | None = None) -> int | None:
        """Return how many the teacher has reported of a sort, by default letters and cards, or None where none was."""
        return _sum(line.reported for line in self._of_sort(sort))

    def counted(self, sort: Sort | str | None = None) -> int | None:
        """Return how many the office has counted of a sort, by default letters and cards, or None where none was."""
        return _sum(line.counted for line in self._of_sort(sort))

    def _of_sort(self, sort: Sort | str | None) -> Iterator[SortNumbers]:
        for (_, found), line in self.lines.items():
            if (sort is None and found.kind) or found == sort:
                yield line


@dataclass(frozen=True, slots=True)
class DriveSeen:
    """A drive as its pages show it. `cases` are those it has chosen that visitors may see, in the desk's order."""

    drive: Drive
    season: Season
    code: str | None
    cases: Sequence[Case]
    numbers: DriveNumbers


@dataclass(frozen=True, slots=True)
class SchoolTotals:
    """What schools did in a season: how many drives in how many countries, and their numbers, each for itself."""

    drives: int
    countries: int
    joined: int
    reported: int
    counted: int


def _sum(told: Iterable[int | None]) -> int | None:
    known = [number for number in told if number is not None]
    return sum(known) if known else None


def drive_by_slug(slug: str) -> Drive:
    """Return the confirmed drive at this address; raises `NoSuchThing`, also where it became a part of another."""
    drive = db.session.scalar(
        select(Drive).where(Drive.slug == slug, Drive.confirmed_at.is_not(None), Drive.merged_into.is_(None))
    )
    if drive is None:
        raise NoSuchThing(slug)
    return drive


def drive_by_link(token: str, purpose: LinkFor) -> Drive:
    """Return the confirmed drive of a private link; raises `NoSuchThing`."""
    drive = drive_of_link(db.session, token, purpose)
    if drive.confirmed_at is None:
        raise NoSuchThing("drive")
    return drive


def drives_of_address(email: str) -> list[Drive]:
    """Return the drives whose links go to this address, the newest first, at most five."""
    mine = (func.lower(Drive.email) == email.lower(), Drive.merged_into.is_(None))
    return list(db.session.scalars(select(Drive).where(*mine).order_by(Drive.id.desc()).limit(5)))


def chosen_cases(drive: Drive) -> list[Case]:
    """Return the cases that a drive has chosen and visitors may see, in the desk's order."""
    chosen = set(db.session.scalars(select(DriveCase.case_id).where(DriveCase.drive_id == drive.id)))
    shown = [case for case in shelf().cases.values() if case.id in chosen and case.status != CaseStatus.WITHDRAWN]
    return sorted(shown, key=lambda case: (case.position, case.id))


def seen_drive(drive: Drive) -> DriveSeen:
    """Return what a drive's pages show, read now."""
    return DriveSeen(
        drive=drive,
        season=db.session.get_one(Season, drive.season_id),
        code=code_of(db.session, drive),
        cases=chosen_cases(drive),
        numbers=numbers_of(db.session, drive),
    )


def numbers_of(session: AnySession, drive: Drive) -> DriveNumbers:
    """Read a drive's numbers."""
    numbers = DriveNumbers()
    joined = (
        select(Pledge.case_id, Pledge.kind, func.count())
        .join(DrivePledge, DrivePledge.pledge_id == Pledge.id)
        .where(DrivePledge.drive_id == drive.id, Pledge.state.in_(STANDING))
        .group_by(Pledge.case_id, Pledge.kind)
    )
    for case_id, kind, count in session.execute(joined):
        numbers.lines[case_id, Sort(kind)] = SortNumbers(joined=int(count))
    for found in session.scalars(select(DriveReport).where(DriveReport.drive_id == drive.id)):
        line = numbers.lines.setdefault((found.case_id, Sort(found.sort)), SortNumbers())
        line.reported, line.counted = found.reported, found.counted
    return numbers


def reports_of(drive: Drive) -> dict[tuple[int, Sort], DriveReport]:
    """Return the lines of a drive's tally, by case id and sort."""
    found = db.session.scalars(select(DriveReport).where(DriveReport.drive_id == drive.id))
    return {(line.case_id, Sort(line.sort)): line for line in found}


def cases_taken_away(drive: Drive) -> int:
    """Return how many of a drive's cases were withdrawn; nothing names them any more."""
    chosen = select(DriveCase.case_id).where(DriveCase.drive_id == drive.id)
    gone = select(func.count(Case.id)).where(Case.id.in_(chosen), Case.status == CaseStatus.WITHDRAWN)
    return int(db.session.scalar(gone) or 0)


def last_time(drive: Drive) -> tuple[Drive, DriveNumbers] | None:
    """Return the same school's earlier drive with its numbers, or None."""
    before = db.session.get(Drive, drive.last_time) if drive.last_time else None
    return (before, numbers_of(db.session, before)) if before else None


def school_totals(season: Season) -> SchoolTotals:
    """Return what schools did in a season, at most `TOTALS_SECONDS` old."""

    def read() -> SchoolTotals:
        with db.session.session_factory() as session:
            return _read_totals(session, season)

    return kept().get(f"schools of {season.id}", TOTALS_SECONDS, read)


def _read_totals(session: AnySession, season: Season) -> SchoolTotals:
    mine = (Drive.season_id == season.id, Drive.confirmed_at.is_not(None), Drive.merged_into.is_(None))
    drives, countries, joined = session.execute(
        select(func.count(Drive.id), func.count(func.distinct(Drive.country)), func.sum(Drive.joined)).where(*mine)
    ).one()
    actions = DriveReport.sort != Sort.PETITION
    told = select(func.sum(DriveReport.reported), func.sum(DriveReport.counted)).join(Drive).where(*mine, actions)
    reported, counted = session.execute(told).one()
    return SchoolTotals(int(drives), int(countries), int(joined or 0), int(reported or 0), int(counted or 0))


def waiting_names() -> int:
    """Return how many drives wait for their name to be approved."""
    mine = (Drive.confirmed_at.is_not(None), Drive.merged_into.is_(None), Drive.name_state == "waiting")
    return int(db.session.scalar(select(func.count(Drive.id)).where(*mine, Drive.erased_at.is_(None))) or 0)


def waiting_reports() -> int:
    """Return how many drives have reported something that is not counted yet."""
    told = select(func.count(func.distinct(DriveReport.drive_id))).where(
        DriveReport.state == ReportState.REPORTED, DriveReport.reported > 0
    )
    return int(db.session.scalar(told) or 0)


def drives_at_limit() -> int:
    """Return how many drives have met the limit of their join code while pupils could still write with it."""
    return int(db.session.scalar(select(func.count(Drive.id)).where(*limit_reached(today()))) or 0)


def limit_reached(day: date) -> tuple[ColumnElement[bool], ...]:
    """Return what is true of a drive that has met its limit and is neither closed nor over on `day`."""
    return (
        Drive.limit_met_at.is_not(None),
        Drive.closed_at.is_(None),
        Drive.merged_into.is_(None),
        Drive.ends >= day,
    )
