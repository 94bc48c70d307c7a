"""A mailing under way can be paused, go on, be called off; a restored backup goes on with none by itself."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import make_settings
from tests.drives.post import mails
from tests.network.preparing import Desk, count_deliveries, make_members, read, say, settle
from wfr.config import Settings
from wfr.errors import NotAllowed, Refused
from wfr.extensions import db, transaction, utc_now
from wfr.network import progress
from wfr.network.delivering import send_mailings
from wfr.network.models import Delivery, DeliveryState, Mailing, MailingState, MailingWorker
from wfr.network.preparing import approve_mailing
from wfr.network.progress import LIVE_SECONDS, SETTLED_SECONDS, estimate_of, kept_for, progress_of
from wfr.network.restoring import hold_restored_mailings
from wfr.network.starting import start_due_mailings
from wfr.network.steering import cancel_mailing, pause_mailing, resume_mailing

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Slow enough for somebody to pause in the middle."""
    return make_settings(tmp_path, database_url, WFR_MAIL_RATE=200)


@pytest.fixture
def desk(app: Flask) -> Desk:
    with app.app_context():
        return Desk()


@SQLITE
def test_what_is_paused_sends_nothing_until_it_goes_on_and_then_all_of_it(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.running(members=3)
        pause_mailing(by=desk.wanda, mailing_id=mailing_id)
        send_mailings()
        assert not mails(app)
        mailing = read(mailing_id)
        assert (mailing.state, mailing.why) == (MailingState.PAUSED, "hand")
        with pytest.raises(NotAllowed):
            resume_mailing(by=desk.wanda, mailing_id=mailing_id, revision=mailing.revision)
        resume_mailing(by=desk.rita, mailing_id=mailing_id, revision=mailing.revision)
        send_mailings()
        assert len(mails(app)) == 3
        assert (read(mailing_id).state, read(mailing_id).why) == (MailingState.DONE, None)


@SQLITE
def test_a_mailing_of_a_withdrawn_case_does_not_go_on(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.running()
        pause_mailing(by=desk.wanda, mailing_id=mailing_id)
        desk.withdraw()
        with pytest.raises(Refused, match="withdrawn"):
            resume_mailing(by=desk.rita, mailing_id=mailing_id, revision=read(mailing_id).revision)
        assert read(mailing_id).state == MailingState.PAUSED


@SQLITE
def test_what_runs_is_called_off_by_a_reviewer_and_for_good(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.running()
        with pytest.raises(NotAllowed):
            cancel_mailing(by=desk.wanda, mailing_id=mailing_id)
        cancel_mailing(by=desk.rita, mailing_id=mailing_id)
        send_mailings()
        assert (read(mailing_id).state, read(mailing_id).why) == (MailingState.STOPPED, "cancelled")
        assert not mails(app)
        with pytest.raises(Refused):
            resume_mailing(by=desk.rita, mailing_id=mailing_id, revision=read(mailing_id).revision)


@SQLITE
def test_a_writer_calls_off_what_nobody_has_approved(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.urgent().id
        cancel_mailing(by=desk.wanda, mailing_id=mailing_id)
        assert read(mailing_id).state == MailingState.STOPPED


def test_a_pause_in_the_middle_is_heeded_by_the_worker_at_once(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.running(members=400)
        outbox = app.extensions["wfr.settings"].outbox
        outbox.mkdir(exist_ok=True)
        sending = threading.Thread(target=_send, args=(app,))
        sending.start()
        while sending.is_alive() and not any(outbox.iterdir()):
            time.sleep(0.005)
        pause_mailing(by=desk.wanda, mailing_id=mailing_id)
        sending.join()
        left = len(mails(app))
        assert read(mailing_id).state == MailingState.PAUSED
        assert 0 < left < 400
        assert count_deliveries(mailing_id, DeliveryState.WAITING) == 400 - left


def _send(app: Flask) -> None:
    with app.app_context():
        send_mailings()
        db.session.remove()


@SQLITE
def test_a_restored_backup_goes_on_with_nothing_by_itself(app: Flask, desk: Desk) -> None:
    with app.app_context():
        running = desk.running(members=3)
        with transaction() as session:
            held = session.query(Delivery).filter_by(mailing_id=running).order_by(Delivery.id).limit(2).all()
            held[0].state, held[1].state = DeliveryState.CLAIMED, DeliveryState.SENDING
            held[0].claim = held[1].claim = "dead"
            session.add(MailingWorker(claim="dead", seen_at=utc_now()))
        approved = desk.approve(desk.urgent(2), start_at=utc_now() + timedelta(hours=1))
        assert hold_restored_mailings() == 2
        send_mailings()
        assert not mails(app)
        assert (read(running).state, read(running).why) == (MailingState.PAUSED, "restored")
        waiting = read(approved)
        assert (waiting.state, waiting.approved_by) == (MailingState.IN_REVIEW, None)
        assert "restored from a backup" in (waiting.note or "")
        words = say(approved)
        assert words is not None and words.text is None
        assert count_deliveries(running, DeliveryState.WAITING) == 3
        resume_mailing(by=desk.rita, mailing_id=running, revision=read(running).revision)
        send_mailings()
        assert len(mails(app)) == 3


@SQLITE
def test_the_numbers_say_what_became_of_each_message_and_how_long_it_took(app: Flask, desk: Desk) -> None:
    with app.app_context():
        make_members(10)
        mailing = desk.urgent()
        estimate = estimate_of(mailing)
        assert (estimate.per_second, estimate.measured) == (200, False)
        approve_mailing(by=desk.rita, mailing_id=mailing.id, revision=1)
        start_due_mailings()
        assert count_deliveries(mailing.id) == estimate.recipients == 10
        with transaction() as session:
            row = session.get_one(Mailing, mailing.id)
            row.started_at = utc_now() - timedelta(minutes=1)
        for seconds, count in ((2, 1), (10, 4), (40, 2)):
            settle(mailing.id, count, DeliveryState.SENT, seconds=seconds)
        settle(mailing.id, 1, DeliveryState.BOUNCED, code=550, seconds=3)
        settle(mailing.id, 1, DeliveryState.FAILED, code=451, seconds=3)
        found = progress_of(read(mailing.id))
        assert (found.total, found.sent, found.waiting, found.percent) == (10, 7, 1, 90)
        assert found.codes == [(451, "failed", 1), (550, "bounced", 1)]
        began = read(mailing.id).started_at
        assert began is not None
        assert (found.first, found.median, found.last) == tuple(
            began + timedelta(seconds=seconds) for seconds in (2, 10, 40)
        )


@SQLITE
def test_counting_takes_a_small_share_of_the_time_however_long_it_takes(
    app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LIVE_SECONDS", 0.0)
    with app.app_context():
        mailing_id = desk.running(members=10)
        settle(mailing_id, 3, DeliveryState.SENT, seconds=2)
        first = progress_of(read(mailing_id))
        assert first.took > 0
        settle(mailing_id, 5, DeliveryState.SENT, seconds=40)
        monkeypatch.setattr(progress, "COUNTING_SHARE", 1e-9)
        assert progress_of(read(mailing_id)) is first
        monkeypatch.setattr(progress, "COUNTING_SHARE", 1e9)
        second = progress_of(read(mailing_id))
        assert (second.sent, second.median) == (8, first.median)
        with transaction() as session:
            session.get_one(Mailing, mailing_id).state = MailingState.DONE
        assert progress_of(read(mailing_id)).median == second.last


@SQLITE
def test_the_estimate_takes_the_last_mailings_rate(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing_id = desk.running(members=120)
        settle(mailing_id, 120, DeliveryState.SENT, seconds=30)
        with transaction() as session:
            done = session.get_one(Mailing, mailing_id)
            assert done.started_at is not None
            done.state, done.finished_at = MailingState.DONE, done.started_at + timedelta(seconds=30)
        db.session.expire_all()
        estimate = estimate_of(desk.urgent(2))
        assert (estimate.recipients, estimate.per_second, estimate.measured) == (120, 4, True)
        assert estimate.duration == timedelta(seconds=30)


@SQLITE
def test_the_numbers_of_what_is_long_over_are_seldom_counted_again(app: Flask, desk: Desk) -> None:
    with app.app_context():
        mailing = desk.urgent()
        mailing.state = MailingState.RUNNING
        assert kept_for(mailing) == LIVE_SECONDS
        mailing.state, mailing.finished_at = MailingState.DONE, utc_now() - timedelta(minutes=10)
        assert kept_for(mailing) == SETTLED_SECONDS
        mailing.finished_at = utc_now() - timedelta(days=10)
        assert kept_for(mailing) == pytest.approx(86_400, rel=0.01)
