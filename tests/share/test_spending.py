"""What posts on X cost, the month's spend and its budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from wfr.extensions import transaction, utc_now
from wfr.share.models import CampaignPost, LinkPlace, PostState, XCharge
from wfr.share.spending import fits_budget, in_dollars, price_of, spent_in_month, still_to_pay

SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("link_in", "card", "price"),
    [
        (LinkPlace.PROFILE, False, "$0.015"),
        (LinkPlace.PROFILE, True, "$0.02"),
        (LinkPlace.POST, True, "$0.205"),
        # A reply with the link costs what a link costs, and the post above it comes on top.
        (LinkPlace.REPLY, True, "$0.22"),
    ],
)
def test_the_price_says_the_truth_about_each_place(app: Flask, link_in: LinkPlace, card: bool, price: str) -> None:
    with app.app_context():
        assert in_dollars(price_of(CampaignPost(link_in=link_in, card=card))) == price


@pytest.mark.parametrize(
    ("micros", "shown"), [(0, "$0.00"), (5_000, "$0.005"), (20_000_000, "$20.00"), (1_234_560_001, "$1,234.560001")]
)
def test_a_price_is_shown_with_all_that_it_is(app: Flask, micros: int, shown: str) -> None:
    assert in_dollars(micros) == shown


def test_of_a_post_that_is_out_only_its_reply_is_left_to_pay(app: Flask) -> None:
    with app.app_context():
        post = CampaignPost(link_in=LinkPlace.REPLY, card=True, x_id="1")
        assert in_dollars(still_to_pay(post)) == "$0.20"
        post.reply_x_id = "2"
        assert still_to_pay(post) == 0


def test_a_month_is_a_calendar_month_of_utc_and_what_is_being_sent_counts(app: Flask) -> None:
    new_year = datetime(2027, 1, 1, tzinfo=UTC)
    moments = (new_year.replace(year=2026, month=12) - SECOND, new_year.replace(year=2026, month=12), new_year)
    with app.app_context(), time_machine.travel(new_year - SECOND, tick=False), transaction() as session:
        for moment in moments:
            session.add(XCharge(what="post", micros=10_000_000, charged_at=moment.replace(tzinfo=None)))
        assert spent_in_month(session, utc_now()) == 10_000_000
        assert fits_budget(session, 10_000_000, utc_now()) and not fits_budget(session, 10_000_001, utc_now())
        session.add(
            CampaignPost(link_in=LinkPlace.POST, card=False, sharer=1, state=PostState.SENDING, words="Out soon")
        )
        session.flush()
        assert fits_budget(session, 9_800_000, utc_now()) and not fits_budget(session, 9_800_001, utc_now())
