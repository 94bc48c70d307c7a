"""Joining: a pupil's letter or card counts for the class, and only a number is kept: case, kind, time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, update

from wfr.cases.models import Kind
from wfr.cases.queries import today
from wfr.drives.models import KINDS, Drive, DriveCase, DriveCode, DrivePledge, DriveReport, DriveState, ReportState
from wfr.drives.starting import locked_drive
from wfr.errors import DomainError, NoSuchThing
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.pledges.models import Pledge
from wfr.pledges.pledging import Promise, record_pledge


class Barrier(StrEnum):
    """Why a code does not let anybody write now."""

    REPLACED = "replaced"
    PAUSED = "paused"
    OVER = "over"
    CLOSED = "closed"
    LIMIT = "limit"
    COUNTED = "counted"


class NotJoined(DomainError):
    """The code is good, and does not let anybody write now; nothing was counted."""

    def __init__(self, why: Barrier) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Joining:
    """A pupil's pledge, which says nothing of the pupil. `ticket` is the key that makes it count once."""

    ticket: UUID
    case_id: int
    kind: Kind
    language: str


def join_drive(*, code: str, joining: Joining) -> None:
    """Count a letter or a card for the class, in one transaction with the link that says so.

    A ticket that is known already changes nothing. Raises `NoSuchThing` for an unknown code or a case that the drive
    has not chosen; `NotJoined` with the reason, so that a leaked code brings at most `Drive.limit` pledges;
    `DatabaseAway`.
    """
    drive = open_drive(code)
    if drive.joined >= drive.limit:
        # Without a lock and without a transaction: a flood of posts with a leaked code costs one read each.
        _meet_limit(drive, joining)
    try:
        with transaction() as session:
            drive = locked_drive(session, drive.id)
            _check_open(session, drive, joining)
            if record_pledge(session, _promise(drive, joining)):
                if drive.joined >= drive.limit:
                    raise NotJoined(Barrier.LIMIT)
                drive.joined += 1
                if drive.joined >= drive.limit:
                    drive.limit_met_at = drive.limit_met_at or utc_now()
                session.add(DrivePledge(pledge_id=joining.ticket, drive_id=drive.id))
    except NotJoined as barrier:
        if barrier.why is Barrier.LIMIT:
            _note_limit(drive)
        raise


def open_drive(code: str) -> Drive:
    """Return the drive that a join code leads to, if pupils can write now; raises `NoSuchThing` or `NotJoined`."""
    drive, retired = drive_of_code(db.session, code)
    if retired:
        raise NotJoined(Barrier.REPLACED)
    barrier = barrier_of(drive)
    if barrier:
        raise NotJoined(barrier)
    return drive


def drive_of_code(session: AnySession, code: str) -> tuple[Drive, bool]:
    """Return the drive of a code, and whether the code was replaced; raises `NoSuchThing`."""
    row = session.get(DriveCode, code, populate_existing=True)
    drive = session.get(Drive, row.drive_id, populate_existing=True) if row else None
    if row is None or drive is None:
        raise NoSuchThing("code")
    return drive, row.retired_at is not None


def barrier_of(drive: Drive) -> Barrier | None:
    """Return what keeps pupils from writing with the drive's code today, or None."""
    return {
        DriveState.UNCONFIRMED: Barrier.CLOSED,
        DriveState.CLOSED: Barrier.CLOSED,
        DriveState.OVER: Barrier.OVER,
        DriveState.PAUSED: Barrier.PAUSED,
        DriveState.OPEN: None,
    }[drive.state(today())]


def _check_open(session: AnySession, drive: Drive, joining: Joining) -> None:
    barrier = barrier_of(drive)
    if barrier:
        raise NotJoined(barrier)
    if joining.kind not in KINDS or session.get(DriveCase, (drive.id, joining.case_id)) is None:
        raise NoSuchThing("case")
    counted = select(DriveReport.id).where(
        DriveReport.drive_id == drive.id,
        DriveReport.case_id == joining.case_id,
        DriveReport.sort == joining.kind.value,
        DriveReport.state == ReportState.COUNTED,
    )
    if session.scalar(counted) is not None:
        # The count stands for all of the class's letters; one more would be added to it.
        raise NotJoined(Barrier.COUNTED)


def _promise(drive: Drive, joining: Joining) -> Promise:
    return Promise(joining.ticket, joining.case_id, joining.kind, drive.country, joining.language)


def _meet_limit(drive: Drive, joining: Joining) -> None:
    """Refuse what comes after the limit, unless its ticket was counted before it."""
    if db.session.get(Pledge, joining.ticket) is None:
        _note_limit(drive)
        raise NotJoined(Barrier.LIMIT)


def _note_limit(drive: Drive) -> None:
    """Tell the desk, once, that a drive has met its limit."""
    if drive.limit_met_at is not None:
        return
    with transaction() as session:
        session.execute(
            update(Drive).where(Drive.id == drive.id, Drive.limit_met_at.is_(None)).values(limit_met_at=utc_now())
        )
