"""Reminders: one mail after the days that were chosen; it says nothing of whom, and then the address is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from tests.acting import act, text_of
from tests.factories import Cast
from tests.linting import LintingClient
from tests.network.members import ANNA, after, ask, mails_to
from wfr.cases.queries import today
from wfr.extensions import db, transaction, utc_now
from wfr.jobs import queue_of
from wfr.network.models import Reminder, RequestedMail, SuppressedFor
from wfr.network.reminding import MOST_TRIES
from wfr.network.suppressing import suppress

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """The app's context, for tests that look into the database."""
    with app.app_context():
        yield


def waiting() -> int:
    """Return how many reminders wait."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Reminder)) or 0


def days_later(days: int) -> None:
    """Make what waits older by so many days."""
    with transaction() as session:
        for reminder in session.scalars(select(Reminder)):
            reminder.pledged_on -= timedelta(days=days)
            reminder.due_on -= timedelta(days=days)


def test_she_is_asked_once_on_the_day_she_chose_and_forgotten(app: Flask, visitor: LintingClient, season: Cast) -> None:
    pledged = act(visitor, season.tiny)
    ticket = re.search(r'data-ticket="([^"]+)"', pledged.get_data(as_text=True))
    answer = after(visitor, season.tiny, remind="y", days="3")
    assert answer.headers["Location"] == "/network/check-your-mail?asked=reminder"
    assert "We will ask you once" in text_of(visitor.get(answer.headers["Location"]))
    kept = db.session.execute(select(Reminder.__table__)).mappings().one()
    assert ticket
    assert season.tiny not in str(kept)
    assert ticket[1] not in str(kept)
    send = queue_of(app).jobs["send_reminders"]
    days_later(2)
    send()
    assert (waiting(), mails_to(app, ANNA)) == (1, [])
    days_later(1)
    send()
    send()
    [mail] = mails_to(app, ANNA)
    words = mail.get_content()
    day = today() - timedelta(days=3)
    assert f"on {day.day} {day:%B %Y} you pledged" in words
    assert "/your-sheet" in words
    assert "Ada" not in mail.as_string()
    assert season.tiny not in mail.as_string()
    assert waiting() == 0


def test_one_reminder_waits_for_an_address_the_one_that_is_due_first(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    for days in ("7", "14", "3", "7"):
        assert after(visitor, season.tiny, remind="y", days=days).status_code == 303
    assert db.session.scalars(select(Reminder.due_on)).all() == [today() + timedelta(days=3)]


def test_asking_for_a_reminder_is_counted_by_itself(app: Flask, visitor: LintingClient, season: Cast) -> None:
    for _ in range(5):
        after(visitor, season.tiny, follow="y")
    assert after(visitor, season.tiny, remind="y").status_code == 303
    assert waiting() == 1
    assert len(mails_to(app, ANNA)) == 5


def test_a_reminder_counts_on_the_day_it_is_sent_and_waits_where_there_were_enough(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    after(visitor, season.tiny, remind="y", days="3")
    days_later(3)
    with transaction() as session:
        session.execute(delete(RequestedMail))
    for _ in range(5):
        after(visitor, season.tiny, follow="y")
    send = queue_of(app).jobs["send_reminders"]
    send()
    assert (waiting(), len(mails_to(app, ANNA))) == (1, 5)
    db.session.rollback()
    kept = db.session.scalars(select(Reminder)).one()
    assert kept.next_try_at is not None
    assert (kept.next_try_at.date(), kept.tries) == (today() + timedelta(days=1), 0)
    with transaction() as session:
        session.execute(update(Reminder).values(next_try_at=utc_now()))
        session.execute(update(RequestedMail).values(mails=4))
    send()
    assert (waiting(), len(mails_to(app, ANNA))) == (0, 6)
    assert db.session.scalars(select(RequestedMail.mails)).all() == [5]


def test_a_reminder_of_an_address_whose_mail_has_come_back_since_is_forgotten(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    after(visitor, season.tiny, remind="y", days="3")
    days_later(3)
    with transaction() as session:
        suppress(session, ANNA, SuppressedFor.BOUNCED)
    queue_of(app).jobs["send_reminders"]()
    assert (waiting(), mails_to(app, ANNA)) == (0, [])


def test_the_mail_that_asks_to_confirm_promises_nothing_that_a_reminder_breaks(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    after(visitor, season.tiny, remind="y", follow="y")
    words = " ".join(mails_to(app, ANNA)[0].get_content().split())
    assert "Until you press the button nothing is sent, apart from the one reminder, if that was asked for." in words
    assert "apart from the one reminder, if that was asked for" in text_of(visitor.get("/privacy"))


def test_an_address_whose_mail_comes_back_is_not_reminded(visitor: LintingClient, season: Cast) -> None:
    with transaction() as session:
        suppress(session, ANNA, SuppressedFor.BOUNCED)
    assert after(visitor, season.tiny, remind="y").status_code == 303
    assert waiting() == 0


@pytest.mark.parametrize("kind", ["email", "post"])
def test_only_what_goes_by_post_can_be_reminded_of(visitor: LintingClient, season: Cast, kind: str) -> None:
    assert after(visitor, season.tiny, kind=kind, remind="y").status_code == 422
    assert waiting() == 0


def test_to_follow_and_to_be_reminded_is_one_form(app: Flask, visitor: LintingClient, season: Cast) -> None:
    answer = after(visitor, season.tiny, remind="y", follow="y")
    assert answer.headers["Location"] == "/network/check-your-mail?asked=both"
    assert waiting() == 1
    assert len(mails_to(app, ANNA)) == 1


def test_a_reminder_that_cannot_leave_is_tried_again_and_given_up_after_eight_times(
    app: Flask, visitor: LintingClient, season: Cast, tmp_path: Path
) -> None:
    after(visitor, season.tiny, remind="y")
    days_later(7)
    (tmp_path / "outbox").write_text("a file where the folder would be")
    send = queue_of(app).jobs["send_reminders"]
    for tries in range(1, MOST_TRIES + 1):
        assert waiting() == 1
        send()
        send()
        db.session.rollback()
        assert db.session.scalars(select(Reminder.tries)).all() == ([tries] if tries < MOST_TRIES else [])
        # One for asking; what could not leave does not count.
        assert sorted(db.session.scalars(select(RequestedMail.mails))) == [0, 1]
        with transaction() as session:
            session.execute(update(Reminder).values(next_try_at=utc_now()))
    assert waiting() == 0


@pytest.mark.usefixtures("season")
def test_reminders_that_strangers_ask_for_keep_nobody_from_joining(app: Flask, visitor: LintingClient) -> None:
    for _ in range(7):
        after(visitor, "ada-vale", remind="y")
    assert mails_to(app, ANNA) == []
    ask(visitor)
    assert len(mails_to(app, ANNA)) == 1
