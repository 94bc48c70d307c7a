"""Starting a drive: a teacher tells of it, and confirms by a link in the mail that the address is theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from wfr.cases.models import Case, Season
from wfr.cases.queries import today
from wfr.countries import is_country
from wfr.drives.codes import LETTERS, add_code, code_of
from wfr.drives.links import LinkFor, drive_of_link
from wfr.drives.models import MOST_HOPED, Drive, DriveCase, DrivePledge, DriveReport
from wfr.errors import DomainError, NoSuchThing, Refused
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.pledges.models import Pledge

LONGEST_DRIVE = timedelta(days=120)
SLUG_LENGTH = 10


class StartedAlready(DomainError):
    """This very form has started a drive before, by a double click; there is nothing more to do."""


@dataclass(frozen=True, slots=True)
class NewDrive:
    """What a teacher tells of a drive. `last_time` is the same school's drive of an earlier season, where known."""

    name: str
    country: str
    email: str
    language: str
    starts: date
    ends: date
    cases: Sequence[str]
    hoped: int
    tell_outcomes: bool = False
    invite_again: bool = False
    last_time: int | None = None


def start_drive(*, season_slug: str, new: NewDrive, ticket: UUID | None = None) -> Drive:
    """Store a drive that waits to be confirmed; nothing works yet, and it is erased when nobody confirms it.

    Raises `StartedAlready` where `ticket` has started a drive, `NoSuchThing` for an unknown season, `Refused` where
    what was told cannot be, `DatabaseAway`.
    """
    slug = _slug_of(ticket or uuid4())
    try:
        return _store(season_slug, new, slug)
    except IntegrityError:
        # The other click's transaction ended between our look and our row.
        raise StartedAlready(slug) from None


def take_back(drive: Drive) -> None:
    """Forget a drive that was just started, because its mail could not leave; raises `DatabaseAway`."""
    with transaction() as session:
        session.execute(delete(DriveCase).where(DriveCase.drive_id == drive.id))
        session.execute(delete(Drive).where(Drive.id == drive.id, Drive.confirmed_at.is_(None)))


def _store(season_slug: str, new: NewDrive, slug: str) -> Drive:
    with transaction() as session:
        if session.scalar(select(Drive.id).where(Drive.slug == slug)) is not None:
            raise StartedAlready(slug)
        season = session.scalar(select(Season).where(Season.slug == season_slug))
        if season is None:
            raise NoSuchThing(season_slug)
        check_plan(season, new.starts, new.ends, new.hoped)
        if not is_country(new.country):
            raise Refused(_l("Choose the country of your school."))
        drive = Drive(
            slug=slug,
            season_id=season.id,
            name=new.name,
            country=new.country,
            language=new.language,
            email=new.email,
            starts=new.starts,
            ends=new.ends,
            hoped=new.hoped,
            tell_outcomes=new.tell_outcomes,
            invite_again=new.invite_again,
            last_time=new.last_time,
        )
        session.add(drive)
        session.flush()
        choose_cases(session, drive, new.cases)
    return drive


def confirm_drive(*, token: str) -> Drive:
    """Confirm a drive by the link that was mailed; from now on its code, wall and pack work. Twice is as once.

    Raises `NoSuchThing` for a link that is not ours or older than a week, `DatabaseAway`.
    """
    with transaction() as session:
        drive = locked_drive(session, drive_of_link(session, token, LinkFor.CONFIRM).id)
        if drive.confirmed_at is None:
            drive.confirmed_at = utc_now()
            drive.last_time = drive.last_time or _last_time(session, drive)
        if code_of(session, drive) is None and drive.closed_at is None:
            add_code(session, drive)
    return drive


def unconfirmed(token: str) -> Drive:
    """Return the drive that a link would confirm; raises `NoSuchThing`."""
    return drive_of_link(db.session, token, LinkFor.CONFIRM)


def check_plan(season: Season, starts: date, ends: date, hoped: int) -> None:
    """Refuse days or numbers that cannot be; raises `Refused`."""
    if ends < starts or ends - starts > LONGEST_DRIVE:
        raise Refused(_l("The last day comes after the first, and at most four months after it."))
    if ends < today() or starts > season.closes:
        raise Refused(_l("Choose days within the season, which ends on %(day)s.", day=season.closes.isoformat()))
    if not 1 <= hoped <= MOST_HOPED:
        raise Refused(_l("Give a number of letters from 1 to %(most)s.", most=MOST_HOPED))


def choose_cases(session: AnySession, drive: Drive, slugs: Sequence[str]) -> None:
    """Make `slugs` the drive's cases, inside the caller's transaction.

    A case that letters were written or reported for stays, whatever is chosen. Raises `Refused` where one is not for
    schools now.
    """
    found = session.scalars(select(Case).where(Case.slug.in_(slugs), Case.season_id == drive.season_id)).all()
    chosen = {case.id for case in found}
    present = {row.case_id: row for row in session.scalars(select(DriveCase).where(DriveCase.drive_id == drive.id))}
    new = [case for case in found if case.id not in present]
    if len(found) != len(set(slugs)) or not found or not all(case.for_schools(today()) for case in new):
        raise Refused(_l("Choose at least one case that classes can write for."))
    kept = chosen | _written_for(session, drive)
    for case_id, row in present.items():
        if case_id not in kept:
            session.delete(row)
    session.add_all(DriveCase(drive_id=drive.id, case_id=case.id) for case in new)
    session.flush()


def locked_drive(session: AnySession, drive_id: int) -> Drive:
    """Return a drive, locked until the caller's transaction ends; raises `NoSuchThing`."""
    drive = session.get(Drive, drive_id, with_for_update=True, populate_existing=True)
    if drive is None:
        raise NoSuchThing(f"drive {drive_id}")
    return drive


def _slug_of(ticket: UUID) -> str:
    """Return the address that a ticket makes: always the same, and saying nothing of the ticket."""
    number = int.from_bytes(hashlib.sha256(ticket.bytes).digest())
    letters = []
    for _ in range(SLUG_LENGTH):
        number, letter = divmod(number, len(LETTERS))
        letters.append(LETTERS[letter])
    return "".join(letters).lower()


def _written_for(session: AnySession, drive: Drive) -> set[int]:
    pledged = select(Pledge.case_id).join(DrivePledge).where(DrivePledge.drive_id == drive.id)
    reported = select(DriveReport.case_id).where(DriveReport.drive_id == drive.id)
    return set(session.scalars(pledged.union(reported)))


def _last_time(session: AnySession, drive: Drive) -> int | None:
    """Return the newest drive of an earlier season that the same address confirmed, while that address is kept."""
    return session.scalar(
        select(Drive.id)
        .where(
            Drive.email == drive.email,
            Drive.country == drive.country,
            Drive.season_id != drive.season_id,
            Drive.confirmed_at.is_not(None),
            Drive.merged_into.is_(None),
        )
        .order_by(Drive.id.desc())
        .limit(1)
    )
