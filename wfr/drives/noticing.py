"""Sending the notices: each is tried until it has left, or eight times; what is in a mail is read when it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import and_, or_, select, update

from wfr.cases.models import Case, CaseStatus, Season, SeasonState
from wfr.cases.queries import today
from wfr.drives.links import LinkFor, link_address
from wfr.drives.models import Drive, DriveNotice, DriveReport, Sort
from wfr.drives.occasions import REACHABLE, news_for
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.mail import NotSent, send_template

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 180, 360, 720, 1440))
"""How long to wait after each try before the next."""
MOST_TRIES = len(PAUSES) + 1
MOST_AT_ONCE = 100
FAILURES_AT_ONCE = 3
"""After so many mails that could not leave the server is taken to be away until the next sweep."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready to leave: its template, whom it goes to, and what the template needs."""

    template: str
    to: str
    words: Mapping[str, Any]


def sweep_notices() -> int:
    """Send the notices whose time has come, and return how many left.

    Each is claimed in a transaction of its own before it is sent, so that two workers never send the same one. Only a
    crash between sending and marking has it sent twice, five minutes later: a mail too many is better than none.
    """
    sent = failed = 0
    for notice_id in _due():
        letter = _claim(notice_id)
        if letter is None:
            continue
        try:
            send_template(letter.template, to=letter.to, **letter.words)
        except NotSent:
            failed += 1
            if failed == FAILURES_AT_ONCE:
                break
            continue
        _mark_sent(notice_id)
        sent += 1
    if sent or failed:
        log.info("notices_swept", sent=sent, failed=failed)
    return sent


def _due() -> list[int]:
    """Return the notices that wait and may be tried now, the oldest first."""
    now = utc_now()
    rested = [
        and_(DriveNotice.tries == tries, DriveNotice.tried_at < now - pause) for tries, pause in enumerate(PAUSES, 1)
    ]
    due = (DriveNotice.sent_at.is_(None), or_(DriveNotice.tries == 0, *rested))
    found = select(DriveNotice.id).join(Drive, Drive.id == DriveNotice.drive_id).where(*REACHABLE, *due)
    return list(db.session.scalars(found.order_by(DriveNotice.id).limit(MOST_AT_ONCE)))


def _claim(notice_id: int) -> Letter | None:
    """Take a notice for this worker and return its mail; None where another was faster or the contact was erased."""
    with transaction() as session:
        notice = session.get(DriveNotice, notice_id, with_for_update=True, populate_existing=True)
        drive = session.get(Drive, notice.drive_id, populate_existing=True) if notice else None
        if notice is None or drive is None or drive.email is None or not _may_try(notice):
            return None
        letter = _letter(session, drive, drive.email, notice)
        notice.tries, notice.tried_at = notice.tries + 1 if letter else MOST_TRIES, utc_now()
        return letter


def _may_try(notice: DriveNotice) -> bool:
    if notice.sent_at is not None or notice.tries >= MOST_TRIES:
        return False
    return notice.tried_at is None or notice.tried_at < utc_now() - PAUSES[notice.tries - 1]


def _mark_sent(notice_id: int) -> None:
    with transaction() as session:
        session.execute(update(DriveNotice).where(DriveNotice.id == notice_id).values(sent_at=utc_now()))


def _letter(session: AnySession, drive: Drive, to: str, notice: DriveNotice) -> Letter | None:
    """Return the mail of a notice, or None where there is nothing to say any more: its case was withdrawn since."""
    kind, _, detail = notice.about.partition(":")
    page = link_address(drive, LinkFor.MANAGE)
    words: dict[str, Any] = {"drive": drive.name, "page": page, "words": notice.words}
    if kind not in MORE:
        return Letter(f"drive_{kind}", to, words)
    more = MORE[kind](session, drive, detail)
    return None if more is None else Letter(f"drive_{kind}", to, words | more)


def _counted(session: AnySession, drive: Drive, _detail: str) -> dict[str, Any]:
    rows = (
        select(DriveReport, Case)
        .join(Case, Case.id == DriveReport.case_id)
        .where(DriveReport.drive_id == drive.id, DriveReport.counted.is_not(None))
        .order_by(Case.position, Case.id, DriveReport.sort)
    )
    lines = [(None if case.status == CaseStatus.WITHDRAWN else case.name, line) for line, case in session.execute(rows)]
    return {"lines": lines, "total": sum(line.counted or 0 for _, line in lines if line.sort != Sort.PETITION)}


def _question(session: AnySession, _drive: Drive, detail: str) -> dict[str, Any] | None:
    report = session.get(DriveReport, int(detail.partition(":")[0]))
    case = session.get(Case, report.case_id, populate_existing=True) if report else None
    if report is None or case is None or case.status == CaseStatus.WITHDRAWN:
        return None
    return {"case": case.name, "line": report}


def _outcome(session: AnySession, drive: Drive, detail: str) -> dict[str, Any] | None:
    case_id, _, day = detail.partition(":")
    return news_for(session, drive, int(case_id), day)


def _invitation(session: AnySession, _drive: Drive, detail: str) -> dict[str, Any] | None:
    season = session.get(Season, int(detail))
    return {"season": season} if season and season.state(today()) is SeasonState.OPEN else None


MORE: dict[str, Callable[[AnySession, Drive, str], dict[str, Any] | None]] = {
    "counted": _counted,
    "question": _question,
    "outcome": _outcome,
    "invitation": _invitation,
}
"""What a mail needs beside the drive, its page and the desk's words, by the kind of its notice."""
