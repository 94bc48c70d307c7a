"""Managing a drive, as whoever has its private link may: its plan, its code, its links, its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, update

from wfr.cases.models import Season
from wfr.cases.queries import today
from wfr.drives.codes import add_code
from wfr.drives.links import LinkFor, drive_of_link
from wfr.drives.models import Drive, DriveNotice, DriveReport, DriveState, NameState
from wfr.drives.starting import check_plan, choose_cases, locked_drive
from wfr.errors import Refused
from wfr.extensions import AnySession, transaction, utc_now


@dataclass(frozen=True, slots=True)
class Plan:
    """What a teacher can change later. A new name waits for approval again."""

    name: str
    starts: date
    ends: date
    cases: Sequence[str]
    hoped: int
    tell_outcomes: bool
    invite_again: bool


def change_plan(*, token: str, plan: Plan) -> Drive:
    """Change what was told of a drive. Raises `NoSuchThing`, `Refused`, `DatabaseAway`."""
    with _managed(token) as (session, drive):
        season = session.get_one(Season, drive.season_id)
        check_plan(season, plan.starts, plan.ends, plan.hoped)
        if plan.name != drive.name:
            drive.name, drive.name_state = plan.name, NameState.WAITING
        drive.starts, drive.ends, drive.hoped = plan.starts, plan.ends, plan.hoped
        drive.tell_outcomes, drive.invite_again = plan.tell_outcomes, plan.invite_again
        if drive.joined < drive.limit:
            drive.limit_met_at = None
        choose_cases(session, drive, plan.cases)
        return drive


def pause_drive(*, token: str, paused: bool) -> Drive:
    """Stop the join code for a while, or let it work again. Raises `NoSuchThing`, `Refused`, `DatabaseAway`."""
    with _managed(token) as (_session, drive):
        drive.paused_at = utc_now() if paused else None
        return drive


def replace_code(*, token: str) -> str:
    """Give the drive a new join code; the old one lets nobody in any more. What it brought still counts.

    Raises `NoSuchThing`, `Refused`, `DatabaseAway`.
    """
    with _managed(token) as (session, drive):
        return add_code(session, drive)


def replace_links(*, token: str) -> Drive:
    """Make every private link of the drive worthless and new ones possible. Raises as `replace_code` does."""
    with _managed(token, also_closed=True) as (_session, drive):
        drive.links += 1
        return drive


def close_drive(*, token: str) -> Drive:
    """End the drive for pupils, for good; its letters can still be reported. Raises as `replace_code` does."""
    with _managed(token) as (_session, drive):
        drive.closed_at = utc_now()
        return drive


def forget_teacher(*, token: str) -> None:
    """Erase the contact now, because the teacher asks for it; the drive is closed and its links end.

    Raises `NoSuchThing`, `Refused`, `DatabaseAway`.
    """
    with _managed(token, also_closed=True) as (session, drive):
        erase_contact(session, drive)


def erase_contact(session: AnySession, drive: Drive) -> None:
    """Forget whom to write to about a drive, inside the caller's transaction, and what was written; numbers stay."""
    session.execute(delete(DriveNotice).where(DriveNotice.drive_id == drive.id))
    session.execute(update(DriveReport).where(DriveReport.drive_id == drive.id).values(question=None))
    drive.email = None
    drive.tell_outcomes = drive.invite_again = False
    drive.erased_at = utc_now()
    drive.closed_at = drive.closed_at or drive.erased_at
    drive.links += 1
    if drive.name_state != NameState.APPROVED:
        drive.name = ""


@contextmanager
def _managed(token: str, *, also_closed: bool = False) -> Iterator[tuple[AnySession, Drive]]:
    with transaction() as session:
        drive = locked_drive(session, drive_of_link(session, token, LinkFor.MANAGE).id)
        if drive.state(today()) is DriveState.UNCONFIRMED:
            raise Refused(_l("Confirm your drive first, by the link in the mail."))
        if drive.closed_at is not None and not also_closed:
            raise Refused(_l("This drive is closed."))
        yield session, drive
