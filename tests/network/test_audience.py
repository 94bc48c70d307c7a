"""Whom a mailing is for: what each member asked for, and nobody who may not be written to."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.network.sending import approve, join, mailing_now, open_case
from wfr.cases.models import Case
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.network import starting
from wfr.network.audience import count_recipients, recipients
from wfr.network.interests import Concern, concern_bits, region_bits
from wfr.network.models import (
    Delivery,
    DeliveryState,
    Follow,
    Frequency,
    Mailing,
    MailingState,
    Member,
    Sort,
    UrgentAction,
    UrgentIssue,
)

AFRICA, EUROPE = region_bits(["002"]), region_bits(["150"])
EXPRESSION, TORTURE = concern_bits([Concern.EXPRESSION]), concern_bits([Concern.TORTURE])
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def case(app: Flask) -> Case:
    """An Urgent Action about a case in Togo."""
    with app.app_context():
        case = open_case()
        db.session.add(UrgentAction(case_id=case.id, number="UA 1/26", concern=Concern.EXPRESSION))
        db.session.commit()
        return case


def one(name: str, **changes: Any) -> Member:
    return join(1, name=name, **changes)[0]


def follow(member: Member, case: Case) -> None:
    with transaction() as session:
        session.add(Follow(member_id=member.id, case_id=case.id))


def gets(mailing_id: int) -> dict[str, str]:
    """Return the name of each recipient with the language she gets."""
    mailing = mailing_now(mailing_id)
    found = {
        db.session.get_one(Member, member_id).email.partition(".")[0]: language
        for member_id, language in db.session.execute(recipients(db.session, mailing))
    }
    assert count_recipients(db.session, mailing) == len(found)
    return found


def sent(member: Member, *, state: DeliveryState = DeliveryState.SENT, issue: int | None = None, days: int = 0) -> None:
    """Store that a member got an Urgent Action so many days ago."""
    mailing_id = approve(
        state=MailingState.DONE, asks=True, issue_id=issue, started_at=utc_now() - timedelta(days=days)
    )
    with transaction() as session:
        session.add(Delivery(mailing_id=mailing_id, member_id=member.id, language="en", state=state))


def test_an_urgent_action_goes_to_all_who_asked_for_such_cases_and_to_followers(app: Flask, case: Case) -> None:
    with app.app_context():
        one("all")
        one("africa", regions=AFRICA | EUROPE, concerns=EXPRESSION)
        one("europe", regions=EUROPE)
        one("torture", concerns=TORTURE)
        one("weekly", frequency=Frequency.WEEKLY)
        follow(one("follower", frequency=Frequency.FOLLOWING, regions=EUROPE), case)
        follow(one("both"), case)
        one("unconfirmed", confirmed_at=None)
        follow(one("gone", left_at=utc_now()), case)
        assert set(gets(approve(case))) == {"all", "africa", "follower", "both"}


@SQLITE
def test_a_region_that_we_do_not_know_is_heard_of_by_those_who_want_all(app: Flask, case: Case) -> None:
    with app.app_context():
        one("all")
        one("africa", regions=AFRICA)
        with transaction() as session:
            session.get_one(Case, case.id).country = "AQ"
        assert set(gets(approve(case))) == {"all"}


def test_at_most_so_many_a_month_counts_what_was_sent_since_the_month_began(app: Flask, case: Case) -> None:
    with app.app_context():
        limited = {"frequency": Frequency.AT_MOST, "at_most": 2}
        one("none", **limited)
        sent(one("once", **limited))
        twice, failed, last_month = one("twice", **limited), one("failed", **limited), one("before", **limited)
        for _ in range(2):
            sent(twice)
            sent(failed, state=DeliveryState.BOUNCED)
            sent(last_month, days=utc_now().day + 1)
        assert set(gets(approve(case))) == {"none", "once", "failed", "before"}


@SQLITE
def test_what_a_stopped_mailing_has_not_sent_counts_for_nobody(app: Flask, case: Case) -> None:
    with app.app_context():
        for state in (DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.SENT):
            sent(one(state.value, frequency=Frequency.AT_MOST, at_most=1), state=state)
        assert gets(approve(case)) == {}
        with transaction() as session:
            session.execute(update(Mailing).values(state=MailingState.STOPPED))
        assert set(gets(approve(case))) == {"waiting", "claimed"}


@POSTGRESQL
def test_of_two_that_start_at_once_only_one_goes_to_who_wants_one(
    app: Flask, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        member_id = one("limited", frequency=Frequency.AT_MOST, at_most=1).id
        first, second = approve(case, state=MailingState.IN_REVIEW), approve(case)
        make, other = starting._make_deliveries, Thread(target=_approve_and_start, args=(app, first))

        def make_while_another_starts(session: AnySession, mailing: Mailing) -> int:
            made = make(session, mailing)
            if mailing.id == second:
                other.start()
                other.join(0.2)
                assert other.is_alive(), "it did not wait for its turn"
            return made

        monkeypatch.setattr(starting, "_make_deliveries", make_while_another_starts)
        assert starting.start_due_mailings() == 1
        other.join()
        assert mailing_now(first).state == MailingState.RUNNING
        found = db.session.scalars(select(Delivery.mailing_id).where(Delivery.member_id == member_id)).all()
        assert found == [second]


def _approve_and_start(app: Flask, mailing_id: int) -> None:
    with app.app_context():
        with transaction() as session:
            session.get_one(Mailing, mailing_id).state = MailingState.APPROVED
        starting.start_due_mailings()
        db.session.remove()


def test_the_outcome_goes_to_those_who_were_asked_to_act_and_to_followers(app: Flask, case: Case) -> None:
    with app.app_context():
        action = db.session.scalars(select(UrgentAction)).one()
        issues = [UrgentIssue(action_id=action.id, ordinal=place, issued_at=utc_now()) for place in (1, 2)]
        other = open_case("omar-sand")
        db.session.add(UrgentAction(case_id=other.id, number="UA 2/26", concern=Concern.TORTURE))
        db.session.flush()
        second = db.session.scalars(select(UrgentAction).where(UrgentAction.case_id == other.id)).one()
        strange = UrgentIssue(action_id=second.id, ordinal=1, issued_at=utc_now())
        db.session.add_all([*issues, strange])
        db.session.commit()
        sent(one("asked", frequency=Frequency.MONTHLY), issue=issues[0].id)
        sent(one("stopped"), issue=issues[0].id, state=DeliveryState.SKIPPED)
        sent(one("elsewhere"), issue=strange.id)
        one("joined")
        follow(one("follower", frequency=Frequency.FOLLOWING), case)
        found = gets(approve(sort=Sort.OUTCOME, issue_id=issues[1].id))
        assert set(found) == {"asked", "follower"}


@SQLITE
def test_news_and_digests_go_to_who_wants_them(app: Flask, case: Case) -> None:
    with app.app_context():
        for frequency in Frequency:
            one(frequency.value, frequency=frequency)
        follow(db.session.scalars(select(Member).where(Member.email.like("weekly%"))).one(), case)
        assert set(gets(approve(case, sort=Sort.NEWS))) == {"weekly"}
        assert set(gets(approve(sort=Sort.WEEKLY))) == {"weekly"}
        assert set(gets(approve(sort=Sort.MONTHLY))) == {"every", "at_most", "monthly"}


@SQLITE
def test_everybody_reads_it_in_the_first_of_her_languages_that_it_has(app: Flask) -> None:
    with app.app_context():
        one("first", language="fr", second_language="en")
        one("second", language="de", second_language="ar")
        one("third", language="de", second_language="hi", third_language="fr")
        one("none", language="de")
        digest: dict[str, Any] = {"sort": Sort.MONTHLY}
        several = gets(approve(languages=("fr", "en", "ar"), **digest))
        assert several == {"first": "fr", "second": "ar", "third": "fr", "none": "en"}
        assert gets(approve(languages=("fr", "ar"), **digest))["none"] == "ar"


def test_mailing_rows(app: Flask) -> None:
    """The query makes the rows of the deliveries, so it must give each member once."""
    with app.app_context():
        case = open_case()
        for member in join(3):
            follow(member, case)
        mailing = db.session.get_one(Mailing, approve(case))
        rows = db.session.execute(recipients(db.session, mailing)).all()
        assert len(rows) == len({row[0] for row in rows}) == 3
