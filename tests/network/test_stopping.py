"""What may not be told of any more is not sent: asked at the start, each minute, and before each message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.network.sending import approve, deliveries, join, mailing_now, open_case
from wfr.cases.models import Case, CaseStatus
from wfr.cases.queries import today
from wfr.extensions import db, transaction, utc_now
from wfr.network.claiming import Worker, claim_batch
from wfr.network.delivering import send_mailings
from wfr.network.marking import MailingNow, Marker
from wfr.network.models import (
    DeliveryState,
    Mailing,
    MailingCase,
    MailingState,
    Sort,
    UrgentAction,
    UrgentIssue,
)
from wfr.network.starting import start_due_mailings
from wfr.network.stopping import stop_fallen, stop_mailings

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FALLS = [
    ({"status": CaseStatus.WITHDRAWN}, "withdrawn"),
    ({"status": CaseStatus.PAUSED}, "paused"),
    ({"status": CaseStatus.CLOSED}, "closed"),
    ({"deadline": today() - timedelta(days=1)}, "expired"),
    ({"consent_ends": today() - timedelta(days=1)}, "consent"),
    ({"feeds": False}, "consent"),
]


def change(case: Case, **values: Any) -> None:
    with transaction() as session:
        row = session.get_one(Case, case.id)
        for name, value in values.items():
            setattr(row, name, value)


@SQLITE
@pytest.mark.parametrize(("values", "why"), FALLS)
def test_what_may_not_be_told_of_does_not_start(app: Flask, values: dict[str, Any], why: str) -> None:
    with app.app_context():
        join(1)
        mailing_id = approve(open_case(**values))
        assert start_due_mailings() == 0
        mailing = mailing_now(mailing_id)
        assert (mailing.state, mailing.why) == (MailingState.STOPPED, why)
        assert deliveries(mailing_id) == []


@SQLITE
@pytest.mark.parametrize(("values", "why"), FALLS)
def test_what_falls_while_it_runs_sends_nothing_more(app: Flask, values: dict[str, Any], why: str) -> None:
    """A paused case pauses its mailing, for a person to look; everything else ends it."""
    with app.app_context():
        join(2)
        case = open_case()
        mailing_id = approve(case)
        start_due_mailings()
        change(case, **values)
        send_mailings()
        mailing = mailing_now(mailing_id)
        halted = why == "paused"
        assert (mailing.state, mailing.why) == (MailingState.PAUSED if halted else MailingState.STOPPED, why)
        state = DeliveryState.WAITING if halted else DeliveryState.SKIPPED
        assert [(each.state, each.claim) for each in deliveries(mailing_id)] == [(state, None)] * 2
        assert stop_fallen() == 0


@pytest.mark.parametrize(("values", "why"), FALLS)
def test_the_last_look_before_a_message_sees_it(app: Flask, values: dict[str, Any], why: str) -> None:
    with app.app_context():
        join(2)
        case = open_case()
        mailing_id = approve(case)
        start_due_mailings()
        worker = Worker()
        taken = claim_batch(worker.claim, mailing_id, 0)
        now = MailingNow(mailing_id, True, (case.id,), today())
        marker = Marker(worker.claim)
        assert marker.step(now, before=None, following=taken[0].id)
        change(case, **values)
        assert not marker.step(now, before=taken[0].id, following=taken[1].id)
        marker.close()
        worker.sign_off()
        assert [each.state for each in deliveries(mailing_id)] == [DeliveryState.SENT, DeliveryState.CLAIMED]


@SQLITE
def test_what_only_tells_goes_out_after_its_case_has_closed(app: Flask) -> None:
    with app.app_context():
        join(1)
        case = open_case(status=CaseStatus.CLOSED, deadline=today() - timedelta(days=1))
        mailing_id = approve(case, sort=Sort.URGENT, asks=False)
        send_mailings()
        assert mailing_now(mailing_id).state == MailingState.DONE


@SQLITE
def test_an_issue_whose_day_has_passed_is_not_sent(app: Flask) -> None:
    with app.app_context():
        join(1)
        case = open_case()
        action = UrgentAction(case_id=case.id, number="UA 1/26", concern="torture")
        db.session.add(action)
        db.session.flush()
        issue = UrgentIssue(action_id=action.id, ordinal=1, write_before=today() - timedelta(days=1))
        db.session.add(issue)
        db.session.commit()
        mailing_id = approve(case, issue_id=issue.id)
        start_due_mailings()
        assert (mailing_now(mailing_id).state, mailing_now(mailing_id).why) == (MailingState.STOPPED, "expired")


@SQLITE
def test_the_outcome_stops_everything_about_the_case_but_itself(app: Flask) -> None:
    with app.app_context():
        join(1)
        case, other = open_case(), open_case("omar-sand")
        running = approve(case)
        start_due_mailings()
        later = utc_now() + timedelta(hours=1)
        waiting, outcome = approve(case, start_at=later), approve(case, sort=Sort.OUTCOME, asks=False)
        elsewhere, digest = approve(other, start_at=later), approve(sort=Sort.MONTHLY, start_at=later)
        asking = approve(sort=Sort.WEEKLY, asks=True, start_at=later)
        with transaction() as session:
            session.add_all(MailingCase(mailing_id=each, case_id=case.id) for each in (digest, asking))
        with transaction() as session:
            stop_mailings(session, case.id, "closed")
        found = {each: mailing_now(each).state for each in (running, waiting, outcome, elsewhere, digest, asking)}
        stopped = {each for each, state in found.items() if state == MailingState.STOPPED}
        assert stopped == {running, waiting, asking}
        stop_fallen()
        assert [each.state for each in deliveries(running)] == [DeliveryState.SKIPPED]


@SQLITE
@pytest.mark.parametrize("closed_first", [True, False])
def test_a_mailing_that_asks_may_tell_of_another_case_that_was_over_before(app: Flask, closed_first: bool) -> None:
    """A digest asks to write for some and has good news of others; who is freed meanwhile ends it."""
    with app.app_context():
        join(1)
        case, freed = open_case(), open_case("omar-sand", status=CaseStatus.CLOSED)
        mailing_id = approve(case)
        with transaction() as session:
            session.add(MailingCase(mailing_id=mailing_id, case_id=freed.id))
        if not closed_first:
            change(freed, status_at=utc_now())
        send_mailings()
        state = MailingState.DONE if closed_first else MailingState.STOPPED
        assert mailing_now(mailing_id).state == state


@SQLITE
def test_a_case_among_several_is_enough(app: Flask) -> None:
    with app.app_context():
        join(1)
        case = open_case()
        digest = approve(sort=Sort.MONTHLY)
        with transaction() as session:
            session.add(MailingCase(mailing_id=digest, case_id=case.id))
        change(case, status=CaseStatus.WITHDRAWN)
        assert stop_fallen() == 1
        assert db.session.get_one(Mailing, digest).why == "withdrawn"


@SQLITE
@pytest.mark.parametrize("state", [MailingState.DRAFT, MailingState.IN_REVIEW])
@pytest.mark.parametrize(("values", "why"), FALLS)
def test_what_is_being_prepared_ends_where_its_case_is_withdrawn_and_only_there(
    app: Flask, values: dict[str, Any], why: str, state: MailingState
) -> None:
    with app.app_context():
        case = open_case()
        mailing_id = approve(case)
        with transaction() as session:
            session.get_one(Mailing, mailing_id).state = state
        change(case, **values)
        ends = why == "withdrawn"
        assert stop_fallen() == int(ends)
        mailing = mailing_now(mailing_id)
        assert (mailing.state, mailing.why) == ((MailingState.STOPPED, why) if ends else (state, None))
