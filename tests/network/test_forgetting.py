"""Who got a mailing is forgotten when nobody needs to know it any more, and what the desk counts stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.network.mailings import make_issue, make_urgent_case
from tests.network.sending import approve, deliveries, join, mailing_now, open_case
from wfr.cases.models import Case
from wfr.extensions import db, transaction, utc_now
from wfr.network import forgetting
from wfr.network.delivering import send_mailings
from wfr.network.forgetting import forget_readers
from wfr.network.models import Delivery, DeliveryState, Mailing, MailingState, Sort
from wfr.network.progress import progress_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def sent(sort: Sort, **changes: Any) -> int:
    """Send a mailing to everybody; return its id."""
    mailing_id = approve(sort=sort, asks=False, **changes)
    with transaction() as session:
        session.get_one(Mailing, mailing_id).state = MailingState.RUNNING
        session.get_one(Mailing, mailing_id).started_at = utc_now()
        session.add_all(Delivery(mailing_id=mailing_id, member_id=each, language="en") for each in (1, 2, 3))
    send_mailings()
    assert mailing_now(mailing_id).state == MailingState.DONE
    return mailing_id


def issued(slug: str, **changes: Any) -> int:
    """Store an issue of a case's Urgent Action, the case too where there is none; return its id."""
    case = db.session.scalar(select(Case).where(Case.slug == slug)) or make_urgent_case(slug, slug)
    issue = make_issue(case, f"UA {slug}", **changes)
    db.session.commit()
    return issue.id


def grow_old(days: int) -> None:
    """Let everything that was sent have been sent so many days ago."""
    then = utc_now() - timedelta(days=days, minutes=1)
    with transaction() as session:
        session.execute(update(Mailing).values(started_at=then, finished_at=then))
        session.execute(update(Delivery).where(Delivery.settled_at.is_not(None)).values(settled_at=then))


def forgotten(mailing_id: int) -> bool:
    forget_readers()
    (found,) = {each.member_id is None for each in deliveries(mailing_id)}
    return found


@pytest.mark.parametrize(
    ("sort", "kept"), [(Sort.NEWS, 14), (Sort.WEEKLY, 60), (Sort.MONTHLY, 60)], ids=["news", "weekly", "monthly"]
)
def test_readers_are_forgotten_in_time_and_no_figure_with_them(
    app: Flask, sort: Sort, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    with app.app_context():
        join(3)
        mailing_id = sent(sort)
        grow_old(kept - 1)
        assert not forgotten(mailing_id)
        grow_old(kept)
        assert forgotten(mailing_id)
        assert progress_of(mailing_now(mailing_id)).sent == 3


def test_an_issues_readers_are_known_until_its_chain_has_ended_or_for_a_year(app: Flask) -> None:
    with app.app_context():
        join(3)
        first, other = sent(Sort.URGENT, issue_id=issued("ada-vale")), sent(Sort.URGENT, issue_id=issued("omar-sand"))
        grow_old(300)
        outcome = approve(sort=Sort.OUTCOME, asks=False, issue_id=issued("ada-vale", ordinal=2, outcome=True))
        assert not forgotten(first), "its outcome is still to be sent, to who got it"
        send_mailings()
        assert len(deliveries(outcome)) == 3
        assert forgotten(first)
        assert not forgotten(other)
        grow_old(365)
        assert forgotten(other)


def test_what_is_not_settled_keeps_its_reader(app: Flask) -> None:
    with app.app_context():
        join(3)
        mailing_id = sent(Sort.NEWS, case=open_case())
        grow_old(30)
        with transaction() as session:
            waiting = {"state": DeliveryState.WAITING, "settled_at": None}
            session.execute(update(Delivery).values(waiting))
        assert not forgotten(mailing_id)
