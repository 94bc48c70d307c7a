"""Moderating: what the desk decides about drives: their names, their end, two that are one, a word to the teacher."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from wfr.drives.models import (
    Drive,
    DriveCase,
    DriveCode,
    DriveParcel,
    DrivePledge,
    DriveReport,
    NameState,
    ReportState,
    Sort,
)
from wfr.drives.notices import add_notice
from wfr.drives.starting import locked_drive
from wfr.errors import NoSuchThing, Refused
from wfr.extensions import AnySession, transaction, utc_now
from wfr.pledges.models import STANDING, Pledge
from wfr.pledges.parcels import ParcelCount, record_parcel
from wfr.staff import auditing
from wfr.staff.models import Actor, Role
from wfr.staff.rights import require_role

LONGEST_MESSAGE = 2_000


def judge_name(*, slug: str, approve: bool, by: Actor) -> None:
    """Let a drive's name be shown in public, or not. Raises `NotAllowed`, `NoSuchThing`, `DatabaseAway`."""
    with _at_desk(slug, by, Role.REVIEWER) as (session, drive):
        before = drive.name_state
        drive.name_state = NameState.APPROVED if approve else NameState.REFUSED
        _record(session, by, drive, "name_judged", {"name": drive.name_state}, {"name": before})
        if not approve:
            add_notice(session, drive, f"name_refused:{utc_now():%Y%m%d%H%M%S}")


def close_by_desk(*, slug: str, by: Actor) -> None:
    """End a drive for pupils, for good; what it brought still counts. Raises as `judge_name`, `Refused` if closed."""
    with _at_desk(slug, by, Role.REVIEWER) as (session, drive):
        if drive.closed_at is not None:
            raise Refused(_l("This drive is closed already."))
        drive.closed_at = utc_now()
        add_notice(session, drive, "closed")
        _record(session, by, drive, "closed", {})


def message_teacher(*, slug: str, words: str, by: Actor) -> None:
    """Write to a drive's teacher; the words are kept until the contact is erased. Raises as `judge_name`, `Refused`."""
    with _at_desk(slug, by, Role.REVIEWER) as (session, drive):
        if not words or len(words) > LONGEST_MESSAGE:
            raise Refused(_l("Write a message of at most %(most)s characters.", most=LONGEST_MESSAGE))
        if drive.email is None:
            raise Refused(_l("There is nobody to write to: the contact was erased."))
        add_notice(session, drive, f"message:{utc_now():%Y%m%d%H%M%S%f}", words=words)
        _record(session, by, drive, "teacher_written_to", {"words": auditing.digest(words)})


def merge_drives(*, slug: str, into: str, by: Actor) -> None:
    """Make a drive that was started twice a part of the other: its codes, pledges and numbers go over.

    The other keeps its own report where both have one for the same case and sort. Raises as `judge_name`; `Refused` for
    drives of different seasons or countries, one that is merged already, and where both have counted the same thing.
    """
    with transaction() as session:
        require_role(session, by, Role.COORDINATOR)
        ids = sorted((_id_of(session, slug), _id_of(session, into)))
        rows = {drive.slug: drive for drive in (locked_drive(session, drive_id) for drive_id in ids)}
        if len(rows) != 2:
            raise Refused(_l("Choose two different drives."))
        gone, stays = rows[slug], rows[into]
        if None in (gone.confirmed_at, stays.confirmed_at):
            raise Refused(_l("Nobody has confirmed this drive yet."))
        if (gone.season_id, gone.country) != (stays.season_id, stays.country) or stays.merged_into or gone.merged_into:
            raise Refused(_l("Only two drives of the same season and country can be one."))
        _move_numbers(session, gone, stays)
        _hold_counts(session, stays)
        stays.joined += gone.joined
        stays.hoped = max(stays.hoped, gone.hoped)
        gone.merged_into, gone.closed_at = stays.id, gone.closed_at or utc_now()
        after = {"into": stays.id, "joined": stays.joined}
        auditing.record(session, by, "drive.merged", f"drive:{gone.id}", after=after)


def _move_numbers(session: AnySession, gone: Drive, stays: Drive) -> None:
    session.execute(update(DrivePledge).where(DrivePledge.drive_id == gone.id).values(drive_id=stays.id))
    session.execute(
        update(DriveCode)
        .where(DriveCode.drive_id == gone.id)
        .values(drive_id=stays.id, retired_at=utc_now())
        .execution_options(synchronize_session=False)
    )
    chosen = set(session.scalars(select(DriveCase.case_id).where(DriveCase.drive_id == stays.id)))
    for row in session.scalars(select(DriveCase).where(DriveCase.drive_id == gone.id)):
        if row.case_id not in chosen:
            session.add(DriveCase(drive_id=stays.id, case_id=row.case_id))
    theirs = {
        (report.case_id, report.sort): report
        for report in session.scalars(select(DriveReport).where(DriveReport.drive_id == stays.id))
    }
    for report in session.scalars(select(DriveReport).where(DriveReport.drive_id == gone.id)):
        _move_report(session, report, theirs.get((report.case_id, report.sort)), stays)


def _move_report(session: AnySession, report: DriveReport, same: DriveReport | None, stays: Drive) -> None:
    if same is None:
        report.drive_id = stays.id
        return
    if report.state == ReportState.COUNTED and same.state == ReportState.COUNTED:
        raise Refused(_l("Both drives have counted letters for the same case. Correct one of them first."))
    if report.state == ReportState.COUNTED:
        same.state, same.counted, same.counted_at = report.state, report.counted, report.counted_at
        same.counted_by, same.question = report.counted_by, None
    same.reported = report.reported if same.reported is None else same.reported
    session.execute(update(DriveParcel).where(DriveParcel.report_id == report.id).values(report_id=same.id))
    session.flush()
    session.delete(report)


def _hold_counts(session: AnySession, stays: Drive) -> None:
    """Let each count take the place of the pledges that came over: it stands for all of the class's letters."""
    mine = select(DrivePledge.pledge_id).where(DrivePledge.drive_id == stays.id)
    counted = select(DriveReport).where(DriveReport.drive_id == stays.id, DriveReport.state == ReportState.COUNTED)
    for report in session.scalars(counted).all():
        kind = Sort(report.sort).kind
        same = (Pledge.case_id == report.case_id, Pledge.kind == report.sort, Pledge.state.in_(STANDING))
        if kind and session.scalar(select(Pledge.id).where(Pledge.id.in_(mine), *same).limit(1)):
            parcel = record_parcel(session, ParcelCount(report.case_id, kind, stays.country, 0), mine)
            session.add(DriveParcel(parcel_id=parcel.id, report_id=report.id))


@contextmanager
def _at_desk(slug: str, by: Actor, role: Role) -> Iterator[tuple[AnySession, Drive]]:
    with transaction() as session:
        require_role(session, by, role)
        drive = locked_drive(session, _id_of(session, slug))
        if drive.confirmed_at is None:
            raise Refused(_l("Nobody has confirmed this drive yet."))
        if drive.merged_into is not None:
            raise Refused(_l("This drive is a part of another one now. Go on with that one."))
        yield session, drive


def _id_of(session: AnySession, slug: str) -> int:
    found = session.scalar(select(Drive.id).where(Drive.slug == slug))
    if found is None:
        raise NoSuchThing(slug)
    return found


def _record(
    session: AnySession,
    by: Actor,
    drive: Drive,
    what: str,
    after: auditing.Values,
    before: auditing.Values | None = None,
) -> None:
    auditing.record(session, by, f"drive.{what}", f"drive:{drive.id}", before=before, after=after)
