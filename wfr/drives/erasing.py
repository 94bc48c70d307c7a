"""Erasing: a drive's contact goes 90 days after its season, unless the teacher asked to be invited again."""

from __future__ import annotations

from datetime import date, timedelta

import structlog
from sqlalchemy import delete, select

from wfr.cases.models import Season
from wfr.cases.queries import today
from wfr.drives.links import CONFIRM_SECONDS
from wfr.drives.managing import erase_contact
from wfr.drives.models import Drive, DriveCase, DriveNotice
from wfr.extensions import transaction, utc_now

AFTER_SEASON = timedelta(days=90)
INVITED_AT_MOST = timedelta(days=455)
"""How long after its season a teacher who asked to be invited again is remembered: one more season, and 90 days."""

log = structlog.get_logger(__name__)


def erase_contacts() -> int:
    """Forget every contact whose time has come, with all that was written to it; return how many there were.

    Drives that nobody confirmed within a week are deleted whole.
    """
    with transaction() as session:
        stale = select(Drive.id).where(
            Drive.confirmed_at.is_(None), Drive.made_at < utc_now() - timedelta(seconds=CONFIRM_SECONDS)
        )
        for table in (DriveCase, DriveNotice):
            session.execute(delete(table).where(table.drive_id.in_(stale)))
        dropped = session.execute(delete(Drive).where(Drive.id.in_(stale)).returning(Drive.id)).all()
        due = select(Drive, Season).join(Season, Season.id == Drive.season_id).where(Drive.email.is_not(None))
        forgotten = [drive for drive, season in session.execute(due) if today() > kept_until(drive, season)]
        for drive in forgotten:
            erase_contact(session, drive)
    if forgotten or dropped:
        log.info("contacts_erased", drives=len(forgotten), unconfirmed=len(dropped))
    return len(forgotten) + len(dropped)


def kept_until(drive: Drive, season: Season) -> date:
    """Return the last day on which a drive's contact is kept."""
    return season.closes + (INVITED_AT_MOST if drive.invite_again else AFTER_SEASON)
