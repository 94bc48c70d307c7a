"""Occasions to write to teachers: a case was withdrawn, there is news of one, a new season is open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from wfr.cases.models import Case, CaseStatus, CaseUpdate, Season, SeasonState, UpdateKind
from wfr.cases.queries import VISIBLE, shelf, today
from wfr.drives.erasing import AFTER_SEASON
from wfr.drives.models import Drive, DriveCase, DriveNotice
from wfr.drives.notices import add_notice
from wfr.drives.starting import locked_drive
from wfr.extensions import AnySession, db, transaction

NEWS = (UpdateKind.GOOD_NEWS, UpdateKind.OUTCOME)
REACHABLE = (Drive.email.is_not(None), Drive.confirmed_at.is_not(None), Drive.merged_into.is_(None))

log = structlog.get_logger(__name__)

Occasion = tuple[int, str]
"""A drive, by its id, and what its teacher is to be told about, as `DriveNotice.about` says it."""


def notice_cases() -> int:
    """Add a notice for each occasion that nobody was told of yet, and return how many there were.

    With nothing to tell it is four reads and no write.
    """
    occasions = {*_withdrawals(db.session), *_news(db.session), *_invitations(db.session)}
    new = sorted(occasions - _known(db.session, {about for _drive, about in occasions}))
    if not new:
        return 0
    with transaction() as session:
        added = sum(add_notice(session, locked_drive(session, drive_id), about) for drive_id, about in new)
    log.info("notices_added", notices=added)
    return added


def news_for(session: AnySession, drive: Drive, case_id: int, day: str) -> dict[str, Any] | None:
    """Return what a mail tells of a case's news of one day, or None where visitors may not read it any more."""
    case = session.get(Case, case_id, populate_existing=True)
    if case is None or case.status not in VISIBLE or case.status == CaseStatus.WITHDRAWN:
        return None
    dated = date.fromisoformat(day)
    texts = [each.text for each in case.updates_in(drive.language) if each.dated == dated and each.kind in NEWS]
    return {"case": case.name, "slug": case.slug, "texts": texts} if texts else None


def _withdrawals(session: AnySession) -> Iterable[Occasion]:
    """Yield the chosen cases that were withdrawn since the teacher chose them; each withdrawal is told of once."""
    rows = session.execute(
        select(Drive.id, Case.id, Case.status_at)
        .join(DriveCase, DriveCase.drive_id == Drive.id)
        .join(Case, Case.id == DriveCase.case_id)
        .join(Season, Season.id == Drive.season_id)
        .where(
            *REACHABLE,
            Case.status == CaseStatus.WITHDRAWN,
            or_(Case.status_at.is_(None), Case.status_at >= Drive.made_at),
            Season.closes >= today() - AFTER_SEASON,
        )
    )
    for drive_id, case_id, moment in rows:
        yield drive_id, f"withdrawn:{case_id}" + (f":{moment:%Y%m%d%H%M%S}" if moment else "")


def _news(session: AnySession) -> Iterable[Occasion]:
    """Yield the days with news of chosen cases since the drive began, for who asked to be told.

    A day is told of once, whatever is changed in its words later: a publication writes all updates of a case anew.
    """
    rows = session.execute(
        select(Drive.id, CaseUpdate.case_id, CaseUpdate.dated)
        .join(DriveCase, DriveCase.drive_id == Drive.id)
        .join(Case, Case.id == DriveCase.case_id)
        .join(CaseUpdate, CaseUpdate.case_id == Case.id)
        .where(
            *REACHABLE,
            Drive.tell_outcomes.is_(True),
            Case.status.in_([status for status in VISIBLE if status != CaseStatus.WITHDRAWN]),
            CaseUpdate.kind.in_(NEWS),
            CaseUpdate.dated.between(Drive.starts, today()),
        )
        .distinct()
    )
    for drive_id, case_id, dated in rows:
        yield drive_id, f"outcome:{case_id}:{dated.isoformat()}"


def _invitations(session: AnySession) -> Iterable[Occasion]:
    """Yield, for the open season, each address that asked to be invited again and has no drive in it yet.

    The notice belongs to the address's newest drive, so that several drives bring one invitation.
    """
    season = shelf().season
    if season is None or season.state(today()) is not SeasonState.OPEN or not shelf().for_schools(today()):
        return
    address, now = func.lower(Drive.email), aliased(Drive)
    already = select(func.lower(now.email)).where(now.season_id == season.id, now.email.is_not(None))
    rows = session.scalars(
        select(func.max(Drive.id))
        .join(Season, Season.id == Drive.season_id)
        .where(*REACHABLE, Drive.invite_again.is_(True), Season.closes < season.opens, address.not_in(already))
        .group_by(address)
    )
    for drive_id in rows:
        yield drive_id, f"invitation:{season.id}"


def _known(session: AnySession, abouts: set[str]) -> set[Occasion]:
    if not abouts:
        return set()
    rows = session.execute(select(DriveNotice.drive_id, DriveNotice.about).where(DriveNotice.about.in_(abouts)))
    return {(drive_id, about) for drive_id, about in rows}
