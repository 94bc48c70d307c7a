"""Notices: mails that a teacher is to get, as rows. A row is written in the transaction of what it tells of."""

from __future__ import annotations

from sqlalchemy import select

from wfr.drives.models import Drive, DriveNotice
from wfr.extensions import AnySession


def add_notice(session: AnySession, drive: Drive, about: str, *, words: str | None = None) -> bool:
    """Have the drive's teacher told about something once, inside the caller's transaction; False if known or erased."""
    if drive.email is None:
        return False
    known = select(DriveNotice.id).where(DriveNotice.drive_id == drive.id, DriveNotice.about == about)
    if session.scalar(known) is not None:
        return False
    session.add(DriveNotice(drive_id=drive.id, about=about, words=words))
    session.flush()
    return True
