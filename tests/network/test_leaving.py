"""Leaving: at once, by one click, in the middle of a mailing too; what stays is a keyed hash."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from tests.acting import text_of
from tests.factories import Cast
from tests.linting import LintingClient
from tests.network.members import ANNA, after, everything, join, mails_to, member, path_to, the_member
from wfr.extensions import db, transaction, utc_now
from wfr.jobs import queue_of
from wfr.network.leaving import erase_member
from wfr.network.links import LinkFor
from wfr.network.models import (
    Delivery,
    DeliveryState,
    Follow,
    Mailing,
    MailingState,
    MailingWorker,
    Reminder,
    Sort,
    SuppressedFor,
    Suppression,
)
from wfr.network.suppressing import digest_of, suppressed_for

ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def deliver(member_id: int, *states: DeliveryState, claim: str = "worker") -> list[int]:
    """Store a mailing for each state, with one delivery to a member in it; return the deliveries."""
    with transaction() as session:
        made = []
        for state in states:
            mailing = Mailing(sort=Sort.URGENT, state=MailingState.RUNNING)
            session.add(mailing)
            session.flush()
            mine = claim if state in (DeliveryState.CLAIMED, DeliveryState.SENDING) else None
            row = Delivery(mailing_id=mailing.id, member_id=member_id, language="en", state=state, claim=mine)
            session.add(row)
            made.append(row)
        session.add(MailingWorker(claim=claim, seen_at=utc_now()))
        session.flush()
        return [row.id for row in made]


def states(deliveries: list[int]) -> list[str]:
    """Return how far these deliveries have come."""
    db.session.rollback()
    found = select(Delivery.state).where(Delivery.id.in_(deliveries)).order_by(Delivery.id)
    return list(db.session.scalars(found))


@ONLY_SQLITE
def test_one_click_needs_no_cookie_and_no_page_and_answers_200_at_once(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    with app.app_context():
        join(app, visitor, follow=season.tiny)
        after(visitor, season.tiny, remind="y")
        path = path_to(LinkFor.LEAVE)
        waiting = deliver(the_member().id, DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENT)
    program = app.test_client(use_cookies=False)
    answer = program.post(
        path, data=ONE_CLICK, headers={"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    with app.app_context():
        assert member() is None
        assert states(waiting) == [DeliveryState.SKIPPED, DeliveryState.SKIPPED, DeliveryState.SENT]
        assert db.session.scalars(select(Delivery.member_id)).all() == [None, None, None]
        for table in (Follow, Reminder):
            assert db.session.scalar(select(func.count()).select_from(table)) == 0
        assert db.session.scalars(select(Suppression.why)).all() == [SuppressedFor.LEFT]


@ONLY_SQLITE
def test_a_second_click_and_a_link_of_nobody_get_the_same_answer(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    with app.app_context():
        join(app, visitor)
        path = path_to(LinkFor.LEAVE)
        answers = [visitor.post(each) for each in (path, path, "/network/leave/nobody", f"/network/leave/{'x' * 4000}")]
        assert {(answer.status_code, answer.data) for answer in answers} == {(200, answers[0].data)}
        told = text_of(answers[0])
        assert "If this link was yours, nothing more comes to its address" in told
        assert "a link that was cut short, or is from before you joined again, does nothing" in told
        assert "You have left" not in told
        assert len(db.session.scalars(select(Suppression)).all()) == 1
        multipart = visitor.post(path, data=ONE_CLICK, content_type="multipart/form-data")
        assert multipart.status_code == 200


@ONLY_SQLITE
@pytest.mark.usefixtures("season")
def test_opening_the_link_asks_and_tells_nothing(app: Flask, visitor: LintingClient) -> None:
    with app.app_context():
        join(app, visitor)
        path, before = path_to(LinkFor.LEAVE), everything()
        page = visitor.get(path)
        assert "Stop and erase me" in text_of(page)
        assert "example.org" not in page.get_data(as_text=True)
        nobody = visitor.get("/network/leave/nobody")
        assert nobody.data == page.data.replace(path.encode(), b"/network/leave/nobody")
        assert visitor.put(path).status_code == 405
        assert everything() == before


@ONLY_SQLITE
def test_a_hash_is_left_and_the_address_stands_nowhere_any_more(
    app: Flask, visitor: LintingClient, season: Cast, tmp_path: Path
) -> None:
    with app.app_context():
        join(app, visitor, follow=season.tiny)
        after(visitor, season.tiny, remind="y")
        assert len(mails_to(app, ANNA)) == 1
        visitor.post(path_to(LinkFor.LEAVE))
        db.session.remove()
        with db.engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
        assert b"anna@" not in kept.lower()
        assert digest_of(ANNA).encode() in kept
        assert mails_to(app, ANNA) == []


def test_leaving_waits_for_the_message_that_is_being_handed_over(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    with app.app_context():
        join(app, visitor)
        path = path_to(LinkFor.LEAVE)
        [under_way] = deliver(the_member().id, DeliveryState.SENDING)
        db.session.remove()
    answers: list[int] = []
    # Mail programs repeat a click that is answered slowly, and people click twice.
    clicks = [
        Thread(target=lambda: answers.append(app.test_client().post(path, data=ONE_CLICK).status_code))
        for _ in range(2)
    ]
    for leaving in clicks:
        leaving.start()
    with app.app_context():
        ends = time.monotonic() + 10
        while (anna := member()) and anna.left_at is None and time.monotonic() < ends:
            time.sleep(0.01)
        clicks[1].join(0.3)
        assert answers == [], "an answer came before the message was settled"
        assert the_member().left_at is not None
        with transaction() as session:
            session.execute(update(Delivery).where(Delivery.id == under_way).values(state=DeliveryState.SENT))
        for leaving in clicks:
            leaving.join(10)
        assert answers == [200, 200]
        assert member() is None
        assert states([under_way]) == [DeliveryState.SENT]
        db.session.remove()


@ONLY_SQLITE
def test_a_job_finishes_what_a_message_kept_from_being_erased(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context():
        join(app, visitor)
        page = path_to(LinkFor.ME)
        [under_way] = deliver(the_member().id, DeliveryState.SENDING)
        with transaction() as session:
            session.execute(update(type(the_member())).values(left_at=utc_now()))
        finish = queue_of(app).jobs["finish_leaving"]
        finish()
        assert the_member().left_at is not None
        for dead in (visitor.get(page), visitor.post(page)):
            assert dead.status_code == 404
        # Its worker has fallen silent: nobody is handing anything over any more.
        with transaction() as session:
            session.execute(update(MailingWorker).values(seen_at=utc_now() - timedelta(minutes=5)))
        finish()
        assert member() is None
        assert suppressed_for(db.session, ANNA) is SuppressedFor.LEFT
        assert states([under_way]) == [DeliveryState.SENDING]


@ONLY_SQLITE
def test_whose_mail_comes_back_is_erased_the_same_way(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context():
        join(app, visitor, follow=season.tiny)
        waiting = deliver(the_member().id, DeliveryState.WAITING)
        with transaction() as session:
            erase_member(session, the_member(), SuppressedFor.BOUNCED)
        assert member() is None
        assert states(waiting) == [DeliveryState.SKIPPED]
        assert suppressed_for(db.session, ANNA) is SuppressedFor.BOUNCED


@ONLY_SQLITE
def test_her_own_page_lets_her_leave(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context():
        page = visitor.get(join(app, visitor)).get_data(as_text=True)
        action = path_to(LinkFor.LEAVE)
        assert f'action="{action}"' in page
        assert "What we keep of an address that has left" in text_of(visitor.post(action))
        assert member() is None
