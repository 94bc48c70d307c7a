"""What a teacher's private pages show: the numbers of each case, how its letters go, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from wfr.cases.models import Case, Kind, Standing
from wfr.countries import country_name
from wfr.drives.links import LinkFor, link_address
from wfr.drives.models import Drive, DriveReport, DriveState, ReportState, Sort
from wfr.drives.papers import PackingSlip
from wfr.drives.queries import DriveNumbers, DriveSeen, SortNumbers, last_time, reports_of
from wfr.drives.reporting import Line
from wfr.letters.views import hints_for


class NextStep(StrEnum):
    """What a teacher does next with a drive, as far as its days and numbers say."""

    PREPARE = "prepare"
    WRITE = "write"
    REPORT = "report"
    WAIT = "wait"
    THANK = "thank"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line of a drive's tally. `report` is what was said of it, if anything was."""

    line: Line
    numbers: SortNumbers
    report: DriveReport | None

    @property
    def counted(self) -> bool:
        """Whether the office has counted it, so that nothing more can be reported."""
        return self.report is not None and self.report.state == ReportState.COUNTED

    @property
    def question(self) -> str | None:
        """What the office asks back about it."""
        return self.report.question if self.report and self.report.state == ReportState.QUERIED else None


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A case of a drive, with its lines and what to do with its letters, posted from the drive's country."""

    case: Case
    standing: Standing
    lines: tuple[ShownLine, ...]
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """A drive's letters and cards, for comparing: those reported and those counted, each for itself."""

    year: int
    reported: int | None
    counted: int | None


def shown_cases(seen: DriveSeen, day: date) -> list[ShownCase]:
    """Return the cases of a drive that visitors may see, with the numbers of each."""
    reports = reports_of(seen.drive)
    return [
        ShownCase(
            case=case,
            standing=case.standing(day),
            lines=tuple(
                ShownLine(Line(case.slug, sort), seen.numbers.of(case.id, sort), reports.get((case.id, sort)))
                for sort in sorts_of(case)
            ),
            hints=_hints(case, seen.drive, day),
        )
        for case in seen.cases
    ]


def sorts_of(case: Case) -> list[Sort]:
    """Return what a class can count for a case: a petition goes to whom letters go to."""
    letters = case.offers(Kind.LETTER) and case.target(Kind.LETTER) is not None
    cards = case.offers(Kind.SOLIDARITY) and case.target(Kind.SOLIDARITY) is not None
    return [
        *([Sort.LETTER] if letters else []),
        *([Sort.SOLIDARITY] if cards else []),
        *([Sort.PETITION] if letters else []),
    ]


def no_longer_shown(seen: DriveSeen) -> SortNumbers:
    """Return the letters and cards of cases that are not shown any more, so that sums add up without a name."""
    shown = {case.id for case in seen.cases}
    gone = DriveNumbers(
        {key: line for key, line in seen.numbers.lines.items() if key[0] not in shown and key[1].kind is not None}
    )
    return SortNumbers(sum(line.joined for line in gone.lines.values()), gone.reported(), gone.counted())


def next_step(seen: DriveSeen, day: date) -> NextStep:
    """Say what comes next for a drive on `day`."""
    reported, counted = seen.numbers.reported(), seen.numbers.counted()
    if reported or counted:
        return NextStep.THANK if counted and _all_counted(seen.numbers) else NextStep.WAIT
    if not seen.season.accepts_reports(day):
        return NextStep.LATE if day > seen.season.reports_due else NextStep.PREPARE
    if seen.drive.state(day) in (DriveState.OVER, DriveState.CLOSED):
        return NextStep.REPORT
    return NextStep.PREPARE if day < seen.drive.starts else NextStep.WRITE


def years(seen: DriveSeen) -> tuple[Year, ...]:
    """Return this year's numbers after those of the last time; nothing where there was no last time."""
    before = last_time(seen.drive)
    if before is None:
        return ()
    return tuple(
        Year(drive.starts.year, numbers.reported(), numbers.counted())
        for drive, numbers in (before, (seen.drive, seen.numbers))
    )


def packing_slip(seen: DriveSeen, day: date, *, language: str, demonstration: bool) -> PackingSlip:
    """Return the slip that goes with a drive's parcel; its code leads to reporting and to nothing else.

    A case that is paused on `day` is not on it: nothing is to be sent for it now.
    """
    return PackingSlip(
        drive_name=seen.drive.name,
        country_name=country_name(seen.drive.country, language),
        season_name=seen.season.name,
        lines=tuple(
            (case.name, _expected(seen.numbers.of(case.id, Sort.LETTER)))
            for case in seen.cases
            if case.standing(day) is not Standing.PAUSED
        ),
        report_url=link_address(seen.drive, LinkFor.REPORT),
        collected_at=collected_at(seen),
        demonstration=demonstration,
        language=language,
    )


def collected_at(seen: DriveSeen) -> tuple[str, ...]:
    """Return the address that the season's letters are gathered at, line by line; empty where there is none."""
    return tuple(line.strip() for line in (seen.season.letters_collected_at or "").splitlines() if line.strip())


def _all_counted(numbers: DriveNumbers) -> bool:
    return all(line.counted is not None for (_, sort), line in numbers.lines.items() if sort.kind and line.reported)


def _expected(numbers: SortNumbers) -> int | None:
    return numbers.joined or None if numbers.reported is None else numbers.reported


def _hints(case: Case, drive: Drive, day: date) -> tuple[str, ...]:
    if case.standing(day) is not Standing.OPEN or Sort.LETTER not in sorts_of(case):
        return ()
    return tuple(hints_for(case, Kind.LETTER, drive.country))


def lines_of(cases: Sequence[ShownCase]) -> list[ShownLine]:
    """Return the lines of all these cases."""
    return [line for case in cases for line in case.lines]
