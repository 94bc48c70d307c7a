"""Reminders: asked once whether a letter was posted, after the days that its writer chose; then nothing is left."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import structlog
from sqlalchemy import delete, or_, select

from wfr.cases.queries import today
from wfr.extensions import db, render_apart, settings, transaction, utc_now
from wfr.mail import NotSent, send
from wfr.network.asking import REMINDER, count_mail, uncount_mail
from wfr.network.models import Reminder, SuppressedFor
from wfr.network.suppressing import suppressed_for

DAYS = (3, 7, 14)
"""After how many days one can be asked."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 180, 360, 720, 1440))
"""How long to wait after each try before the next."""
MOST_TRIES = len(PAUSES) + 1
MOST_AT_ONCE = 100
FAILURES_AT_ONCE = 3
"""After so many mails that could not leave the server is taken to be away until the next sweep."""

log = structlog.get_logger(__name__)


def remind_later(*, email: str, language: str, days: int) -> None:
    """Keep an address until it is asked, in so many days, whether what was pledged today was posted.

    One reminder waits for an address, the one that is due first: nobody can have somebody else sent many. None is kept
    where this was asked often enough today, nor for an address whose mail comes back. Raises `DatabaseAway`.
    """
    with transaction() as session:
        if not count_mail(session, email, apart=REMINDER):
            return
        due = today() + timedelta(days=days)
        waiting = session.scalar(select(Reminder).where(Reminder.email == email))
        if waiting is None:
            session.add(Reminder(email=email, language=language, pledged_on=today(), due_on=due))
        elif due < waiting.due_on:
            waiting.language, waiting.pledged_on, waiting.due_on = language, today(), due


def send_reminders() -> int:
    """Send the reminders whose day has come and forget their addresses; return how many left.

    Each is claimed before it is sent, so that two workers never send the same one; it is also forgotten when its last
    try has failed. It counts among the day's mails (`count_mail`): where there were enough it waits till tomorrow.
    """
    sent = failed = 0
    for reminder_id in _due():
        reminder = _claim(reminder_id)
        if reminder is None:
            continue
        try:
            _send(reminder)
        except NotSent:
            failed += 1
            _give_back(reminder)
            if failed == FAILURES_AT_ONCE:
                break
            continue
        _forget(reminder_id)
        sent += 1
    if sent or failed:
        log.info("reminders_sent", sent=sent, failed=failed)
    return sent


def _due() -> list[int]:
    rested = or_(Reminder.next_try_at.is_(None), Reminder.next_try_at <= utc_now())
    found = select(Reminder.id).where(Reminder.due_on <= today(), rested).order_by(Reminder.due_on, Reminder.id)
    return list(db.session.scalars(found.limit(MOST_AT_ONCE)))


def _claim(reminder_id: int) -> Reminder | None:
    """Take a reminder for this worker; None where another was faster, its owner has left since, or it has to wait."""
    with transaction() as session:
        reminder = session.get(Reminder, reminder_id, with_for_update=True, populate_existing=True)
        now = utc_now()
        if reminder is None or (reminder.next_try_at is not None and reminder.next_try_at > now):
            return None
        if suppressed_for(session, reminder.email) is SuppressedFor.BOUNCED:
            session.delete(reminder)
            return None
        if not count_mail(session, reminder.email):
            reminder.next_try_at = datetime.combine(now.date() + timedelta(days=1), time.min)
            return None
        reminder.tries += 1
        reminder.next_try_at = now + PAUSES[min(reminder.tries, len(PAUSES)) - 1]
        return reminder


def _send(reminder: Reminder) -> None:
    sheet = f"{settings().base_url}/your-sheet"
    template = "emails/network_reminder.txt"
    words = render_apart(template, reminder.language, pledged_on=reminder.pledged_on, sheet=sheet)
    subject, _, text = words.lstrip().partition("\n")
    send(to=reminder.email, subject=subject, text=text.strip() + "\n")


def _give_back(reminder: Reminder) -> None:
    """Count a mail that could not leave no longer, and forget its reminder after the last try."""
    with transaction() as session:
        uncount_mail(session, reminder.email)
        if reminder.tries >= MOST_TRIES:
            session.execute(delete(Reminder).where(Reminder.id == reminder.id))


def _forget(reminder_id: int) -> None:
    with transaction() as session:
        session.execute(delete(Reminder).where(Reminder.id == reminder_id))
