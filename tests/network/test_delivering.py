"""Sending: everybody once, whatever the mail server says, however many workers there are, and whenever one dies."""

from __future__ import annotations

import math
import threading
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.drives.post import mails
from tests.network.sending import another, approve, deliveries, join, mailing_now, open_case
from wfr import jobs
from wfr.cases.queries import today
from wfr.extensions import db, transaction, utc_now
from wfr.network import claiming, delivering
from wfr.network.claiming import SILENT_FOR, Worker, claim_batch, in_flight, take_over
from wfr.network.delivering import send_mailings
from wfr.network.marking import MailingNow, Marker
from wfr.network.messages import message_id
from wfr.network.models import Delivery, DeliveryState, MailingState, MailingWorker, Member
from wfr.network.starting import start_due_mailings

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def states(mailing_id: int) -> list[str]:
    return [each.state for each in deliveries(mailing_id)]


def test_everybody_gets_it_once(app: Flask) -> None:
    with app.app_context():
        members = join(250)
        mailing_id = approve(open_case())
        assert send_mailings() == 250
        assert sorted(str(mail["To"]) for mail in mails(app)) == sorted(member.email for member in members)
        found = deliveries(mailing_id)
        assert {(each.state, each.claim, each.code) for each in found} == {(DeliveryState.SENT, None, 250)}
        mailing = mailing_now(mailing_id)
        assert {mail["Message-ID"] for mail in mails(app)} == {message_id(mailing.salt, each.id) for each in found}
        assert mailing.state == MailingState.DONE
        assert mailing.started_at is not None
        assert mailing.finished_at is not None
        assert send_mailings() == 0
        assert db.session.scalars(select(MailingWorker)).all() == []


@SQLITE
def test_a_mailing_waits_for_its_hour(app: Flask) -> None:
    with app.app_context():
        join(1)
        mailing_id = approve(open_case(), start_at=utc_now() + timedelta(minutes=1))
        assert send_mailings() == 0
        with transaction() as session:
            mailing = mailing_now(mailing_id)
            session.add(mailing)
            mailing.start_at = utc_now() - timedelta(seconds=1)
        assert send_mailings() == 1


@SQLITE
def test_what_hurries_most_goes_first(app: Flask) -> None:
    with app.app_context():
        join(2)
        approve(sort="monthly")
        approve(open_case(), languages=("fr",))
        send_mailings()
        assert [str(mail["Content-Language"]) for mail in mails(app)] == ["fr", "fr", "en", "en"]


def test_nobody_is_claimed_twice_and_the_claims_of_the_dead_are_taken_over(app: Flask) -> None:
    with app.app_context():
        join(150)
        mailing_id = approve(open_case())
        start_due_mailings()
        first, second = Worker(), Worker()
        theirs, others = claim_batch(first.claim, mailing_id, 0), claim_batch(second.claim, mailing_id, 0)
        assert (len(theirs), len(others)) == (100, 50)
        assert {each.id for each in theirs}.isdisjoint(each.id for each in others)
        assert take_over() == 0
        # As a worker that is killed: nobody says for it that it is alive, and its claims stay.
        first._over.set()
        first._teller.join()
        with transaction() as session:
            dead = update(MailingWorker).where(MailingWorker.claim == first.claim)
            session.execute(dead.values(seen_at=utc_now() - SILENT_FOR))
        assert take_over() == 100
        assert {each.id for each in claim_batch(second.claim, mailing_id, 0)} == {each.id for each in theirs}
        second.sign_off()


@POSTGRESQL
def test_a_worker_on_a_machine_whose_clock_is_wrong_is_not_dead(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        join(1)
        mailing_id = approve(open_case())
        start_due_mailings()
        with monkeypatch.context() as late:
            late.setattr(claiming, "utc_now", lambda: utc_now() - timedelta(hours=1))
            worker = Worker()
            claim_batch(worker.claim, mailing_id, 0)
        other = Worker()
        assert (take_over(), other.alive) == (0, 2)
        for each in (worker, other):
            each.sign_off()


@POSTGRESQL
def test_two_workers_that_claim_at_once_wait_for_nobody(app: Flask) -> None:
    with app.app_context():
        join(200)
        mailing_id = approve(open_case())
        start_due_mailings()
        found: list[set[int]] = []
        with transaction() as session:
            first = session.scalars(
                select(Delivery.id).order_by(Delivery.id).limit(100).with_for_update(skip_locked=True)
            ).all()

            def claim() -> None:
                with app.app_context():
                    found.append({each.id for each in claim_batch("another", mailing_id, 0)})

            thread = threading.Thread(target=claim)
            thread.start()
            thread.join(10)
        assert found
        assert found[0].isdisjoint(first)


def claimed(count: int = 2) -> tuple[Worker, Marker, MailingNow, list[int]]:
    """Return a worker with so many deliveries in its hands, and what makes its marks."""
    join(count)
    mailing_id = approve(open_case())
    start_due_mailings()
    worker = Worker()
    taken = claim_batch(worker.claim, mailing_id, 0)
    return worker, Marker(worker.claim), MailingNow(mailing_id, True, (), today()), [each.id for each in taken]


def test_a_mark_is_made_by_who_has_the_claim_alone(app: Flask) -> None:
    with app.app_context():
        worker, marker, now, (one, two) = claimed()
        stranger = Marker("a stranger")
        assert not stranger.step(now, before=None, following=one)
        assert marker.step(now, before=None, following=one)
        assert not marker.step(now, before=None, following=one), "one that is being sent is not sent again"
        stranger.sent(one)
        assert states(now.id) == [DeliveryState.SENDING, DeliveryState.CLAIMED]
        assert marker.step(now, before=one, following=two)
        marker.sent(two)
        assert states(now.id) == [DeliveryState.SENT, DeliveryState.SENT]
        for each in (marker, stranger):
            each.close()
        worker.sign_off()


def test_nobody_is_sent_anything_after_she_has_left(app: Flask) -> None:
    with app.app_context():
        worker, marker, now, (one, two) = claimed()
        assert marker.step(now, before=None, following=one)
        of = {each.id: each.member_id or 0 for each in deliveries(now.id)}
        assert in_flight(db.session, of[one])
        assert not in_flight(db.session, of[two])
        with transaction() as session:
            session.execute(update(Member).where(Member.id == of[two]).values(left_at=utc_now()))
        assert not marker.step(now, before=one, following=two)
        assert not in_flight(db.session, of[one])
        marker.close()
        worker.sign_off()


@POSTGRESQL
def test_who_leaves_in_the_moment_of_the_last_look_is_waited_for(app: Flask) -> None:
    """Her leaving is not committed yet when the look begins: it must not slip between the look and the mark."""
    with app.app_context():
        worker, marker, now, (one, _two) = claimed()
        may_go: list[bool] = []
        member_id = deliveries(now.id)[0].member_id

        def look() -> None:
            with app.app_context():
                may_go.append(marker.step(now, before=None, following=one))

        thread = threading.Thread(target=look)
        with transaction() as session:
            session.execute(update(Member).where(Member.id == member_id).values(left_at=utc_now()))
            thread.start()
            thread.join(0.5)
            assert may_go == []
        thread.join(10)
        assert may_go == [False]
        marker.close()
        worker.sign_off()


@SQLITE
def test_a_process_that_ends_gives_its_batch_back(app: Flask) -> None:
    with app.app_context():
        join(5)
        mailing_id = approve(open_case())
        queue = jobs.queue_of(app)
        start_due_mailings()
        carried: list[str] = []

        class Ending:
            """Takes two messages; then the process is told to end."""

            def carry(self, *, sender: str, to: str, data: bytes) -> None:  # noqa: ARG002
                carried.append(to)
                if len(carried) == 2:
                    queue._stop.set()

            def close(self) -> None:
                pass

        worker = Worker()
        run = delivering.Run(worker)
        run._carrier = Ending()
        run.go_on()
        run.close()
        worker.sign_off()
        assert states(mailing_id) == [DeliveryState.SENT] * 2 + [DeliveryState.WAITING] * 3
        queue._stop.clear()
        assert send_mailings() == 3


@SQLITE
def test_one_run_at_a_time_in_a_process(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(delivering, "PASSED_ON_SECONDS", 0.0)
    monkeypatch.setattr(delivering, "_passed_on_at", -math.inf)
    monkeypatch.setattr(jobs, "ring", rung.append)
    with app.app_context():
        join(1)
        approve(open_case())
        with delivering._turn:
            assert (send_mailings(), rung) == (0, [delivering.QUEUE]), "another process may come"
            assert (send_mailings(), len(rung)) == (0, 1), "a bell that was rung again does not ring for ever"
        assert send_mailings() == 1


@SQLITE
def test_rates_are_kept_across_runs(app: Flask) -> None:
    with app.app_context():
        join(4)
        approve(open_case())
        with another(app, WFR_MAIL_RATE="10", RATELIMIT_ENABLED="1"):
            began = time.monotonic()
            assert send_mailings() == 4
            assert time.monotonic() - began >= 0.3
