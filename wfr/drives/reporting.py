"""Reporting: the teacher tells how many went out; the office counts, or accepts, and only the count is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from wfr.cases.models import Case, CaseStatus, Season
from wfr.cases.queries import today
from wfr.drives.links import LinkFor, drive_of_link
from wfr.drives.models import Drive, DriveCase, DriveParcel, DrivePledge, DriveReport, ReportState, Sort
from wfr.drives.notices import add_notice
from wfr.drives.starting import locked_drive
from wfr.errors import NoSuchThing, NotPossibleNow, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.pledges.parcels import ParcelCount, record_parcel
from wfr.staff import auditing
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

MOST_REPORTED = 5_000
"""Letters or cards for one case in one report; more is another conversation with the office."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a tally: a case, by its slug, and what was counted."""

    case: str
    sort: Sort


def report(*, token: str, purpose: LinkFor, numbers: Mapping[Line, int]) -> Drive:
    """Take a teacher's numbers by case and sort; they are reported and count nothing yet. A later report replaces them.

    `purpose` says by which link it comes: the teacher's own, or the one on the packing slip. A line that the office has
    counted stays as it was told. Raises `NoSuchThing`, `NotPossibleNow` when the season takes no more reports,
    `Refused` for a number that cannot be, `DatabaseAway`.
    """
    with transaction() as session:
        drive = locked_drive(session, drive_of_link(session, token, purpose).id)
        season = session.get_one(Season, drive.season_id)
        if drive.confirmed_at is None or not season.accepts_reports(today()):
            raise NotPossibleNow("closed")
        cases = _cases_of(session, drive)
        for line, number in numbers.items():
            if line.case not in cases:
                raise NoSuchThing(line.case)
            if not 0 <= number <= MOST_REPORTED:
                raise Refused(_l("Give a number from 0 to %(most)s.", most=MOST_REPORTED))
            _take(session, drive, cases[line.case], line.sort, number)
    return drive


def count_report(*, drive_slug: str, line: Line, number: int, by: Actor) -> DriveReport:
    """Enter what the office counted, or accepts, for a case and sort of a drive.

    The count takes the place of the drive's join-code pledges for that case and kind, in one entry of the ledger; a
    second count is entered as the difference. Raises `NotAllowed`; `NoSuchThing`; `Refused` for a number that cannot be
    or a case that is withdrawn; `DatabaseAway`.
    """
    with transaction() as session:
        require_role(session, by, Role.REVIEWER)
        drive = locked_drive(session, _drive_id(session, drive_slug))
        if not 0 <= number <= MOST_REPORTED:
            raise Refused(_l("Give a number from 0 to %(most)s.", most=MOST_REPORTED))
        case = _counted_case(session, drive, line)
        found = _report_of(session, drive, case, line.sort)
        superseded = _enter(session, drive, found, number)
        after = {"case": case.id, "sort": line.sort.value, "counted": number, "reported": found.reported}
        before = {"counted": found.counted}
        after |= {"superseded": superseded}
        auditing.record(session, by, "drive.counted", f"drive:{drive.id}", before=before, after=after)
        found.counted, found.counted_at, found.counted_by = number, utc_now(), by.account_id
        found.state, found.question = ReportState.COUNTED, None
        if _all_counted(session, drive):
            add_notice(session, drive, f"counted:{found.id}:{utc_now():%Y%m%d%H%M%S}")
    return found


def ask_back(*, drive_slug: str, line: Line, question: str, by: Actor) -> None:
    """Ask the teacher about a report before it is counted; the question goes out by mail.

    Raises `NotAllowed`, `NoSuchThing`, `Refused` without words, without a contact, or where it is counted already.
    """
    if not question:
        raise Refused(_l("Write what you want to know."))
    with transaction() as session:
        require_role(session, by, Role.REVIEWER)
        drive = locked_drive(session, _drive_id(session, drive_slug))
        case = _counted_case(session, drive, line)
        found = _report_of(session, drive, case, line.sort)
        if found.state == ReportState.COUNTED:
            raise Refused(_l("This is counted already."))
        if drive.email is None:
            raise Refused(_l("There is nobody to write to: the contact was erased."))
        found.state, found.question = ReportState.QUERIED, question
        add_notice(session, drive, f"question:{found.id}:{utc_now():%Y%m%d%H%M%S%f}", words=question)
        after = {"case": case.id, "sort": line.sort.value, "question": auditing.digest(question)}
        auditing.record(session, by, "drive.queried", f"drive:{drive.id}", after=after)


def _enter(session: AnySession, drive: Drive, found: DriveReport, number: int) -> int:
    """Enter a count in the ledger, where it is of actions; return how many pledges it took the place of."""
    kind = Sort(found.sort).kind
    if kind is None:
        return 0
    pledges = select(DrivePledge.pledge_id).where(DrivePledge.drive_id == drive.id)
    count = ParcelCount(found.case_id, kind, drive.country, number - (found.counted or 0))
    parcel = record_parcel(session, count, pledges)
    session.add(DriveParcel(parcel_id=parcel.id, report_id=found.id))
    return parcel.superseded


def _take(session: AnySession, drive: Drive, case: Case, sort: Sort, number: int) -> None:
    found = _report_of(session, drive, case, sort)
    if found.state == ReportState.COUNTED:
        return
    found.reported, found.reported_at = number, utc_now()
    found.state, found.question = ReportState.REPORTED, None


def _report_of(session: AnySession, drive: Drive, case: Case, sort: Sort) -> DriveReport:
    """Return the line of the drive's tally, made where there is none; the drive's lock keeps it one."""
    mine = (DriveReport.drive_id == drive.id, DriveReport.case_id == case.id, DriveReport.sort == sort.value)
    found = session.scalar(select(DriveReport).where(*mine))
    if found is None:
        found = DriveReport(drive_id=drive.id, case_id=case.id, sort=sort.value, state=ReportState.REPORTED)
        session.add(found)
        session.flush()
    return found


def _cases_of(session: AnySession, drive: Drive) -> dict[str, Case]:
    """Return the drive's cases by slug, but those that are withdrawn: nothing names them any more."""
    chosen = select(DriveCase.case_id).where(DriveCase.drive_id == drive.id)
    found = session.scalars(select(Case).where(Case.id.in_(chosen), Case.status != CaseStatus.WITHDRAWN))
    return {case.slug: case for case in found}


def _counted_case(session: AnySession, drive: Drive, line: Line) -> Case:
    case = session.scalar(select(Case).where(Case.slug == line.case))
    if case is None or session.get(DriveCase, (drive.id, case.id)) is None:
        raise NoSuchThing(line.case)
    if case.status == CaseStatus.WITHDRAWN:
        raise Refused(_l("The figures of a withdrawn case are not changed."))
    return case


def _all_counted(session: AnySession, drive: Drive) -> bool:
    open_lines = select(DriveReport.id).where(
        DriveReport.drive_id == drive.id, DriveReport.state != ReportState.COUNTED, DriveReport.reported > 0
    )
    return session.scalar(open_lines.limit(1)) is None


def _drive_id(session: AnySession, slug: str) -> int:
    found = session.scalar(select(Drive.id).where(Drive.slug == slug))
    if found is None:
        raise NoSuchThing(slug)
    return found
