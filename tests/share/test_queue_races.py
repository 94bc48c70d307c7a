"""What happens to campaign posts between two looks: the queue does what stands now, not what stood when it looked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import Cast
from tests.share.campaigning import Campaign, read, x_settings
from tests.share.fake_x import USER_ID, FakeX
from wfr.config import Settings
from wfr.extensions import db, transaction, utc_now
from wfr.share import attempts
from wfr.share.models import AccountState, CampaignPost, LinkPlace, PostState, XAccount
from wfr.share.posting import back_to_draft, cancel, lock_post
from wfr.share.sending import send_due_posts

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return x_settings(tmp_path, database_url)


@pytest.fixture
def x(app: Flask) -> Iterator[FakeX]:
    with app.app_context(), FakeX().answering() as fake:
        yield fake


@pytest.fixture
def campaign(season: Cast, x: FakeX) -> Campaign:
    del season
    campaign = Campaign.begin()
    campaign.connect(x)
    return campaign


def change_account(**values: object) -> None:
    with transaction() as session:
        account = session.scalars(select(XAccount)).one()
        for name, value in values.items():
            setattr(account, name, value)


@POSTGRESQL
@pytest.mark.parametrize("deed", ["cancelled", "edited"])
def test_what_the_desk_does_while_the_queue_reaches_for_a_post_holds(
    app: Flask, campaign: Campaign, x: FakeX, deed: str
) -> None:
    post_id = campaign.approved()

    def work() -> None:
        with app.app_context():
            send_due_posts()

    worker = threading.Thread(target=work)
    with transaction() as session:
        post = lock_post(session, post_id)
        worker.start()
        time.sleep(0.5)  # The worker has read which posts are due, and waits for this row.
        if deed == "cancelled":
            cancel(session, campaign.reviewer, post, why=None)
        else:
            post.words = "Nobody approved this."
            back_to_draft(post)
    worker.join(30)
    assert x.posts == []
    assert read(post_id).state == (PostState.CANCELLED if deed == "cancelled" else PostState.DRAFT)


@SQLITE
def test_an_account_that_is_let_go_of_during_a_run_posts_nothing_more(campaign: Campaign, x: FakeX) -> None:
    first, second = campaign.approved(), campaign.approved(words="Omar Sand waits.")
    x.meanwhile(lambda: change_account(state=AccountState.REVOKED), at="POST /2/tweets")
    send_due_posts()
    assert (read(first).state, read(second).state) == (PostState.SENT, PostState.APPROVED)
    assert len(x.posts) == 1


@SQLITE
def test_the_answer_of_a_worker_that_was_overtaken_changes_nothing(campaign: Campaign) -> None:
    post_id = campaign.approved(link_in=LinkPlace.REPLY)
    with transaction() as session:
        post = session.get_one(CampaignPost, post_id)
        attempts.enter_posted(session, post, "1990000000000000001")
        attempts.enter_posted(session, post, "1990000000000000002")
    attempts.note_posted(attempts.Attempt(post_id, utc_now()), "1990000000000000001", reply=False)
    attempts.note_posted(attempts.Attempt(post_id, utc_now()), "1990000000000000003", reply=True)
    post = read(post_id)
    assert (post.x_id, post.reply_x_id, post.state) == ("1990000000000000001", "1990000000000000002", PostState.SENT)


@SQLITE
def test_one_post_in_doubt_ends_the_run(campaign: Campaign, x: FakeX) -> None:
    posts = [campaign.approved(words=f"Letter {number}") for number in range(3)]
    x.time_out(after=False)
    send_due_posts()
    assert [read(post_id).tried_at is None for post_id in posts] == [False, True, True]


@SQLITE
def test_a_search_that_always_fails_ends_with_a_person(campaign: Campaign, x: FakeX) -> None:
    post_id = campaign.approved()
    x.time_out()
    send_due_posts()
    for _ in range(attempts.MOST_TRIES):
        x.next(503, at=f"GET /2/users/{USER_ID}/tweets")
        with transaction() as session:
            post = session.get_one(CampaignPost, post_id)
            if post.next_try_at is not None:
                post.next_try_at = utc_now() - timedelta(seconds=1)
        send_due_posts()
    assert (read(post_id).state, read(post_id).why) == (PostState.HELD, "unclear")
    assert len(x.posts) == 1


@SQLITE
def test_what_was_begun_with_an_account_that_is_gone_waits_for_a_person(campaign: Campaign, x: FakeX) -> None:
    post_id = campaign.approved()
    x.time_out()
    send_due_posts()
    change_account(state=AccountState.REVOKED)
    with transaction() as session:
        session.get_one(CampaignPost, post_id).next_try_at = utc_now() - timedelta(seconds=1)
    send_due_posts()
    assert (read(post_id).state, read(post_id).why) == (PostState.HELD, "unclear")


@SQLITE
def test_no_transaction_is_open_while_x_is_searched(campaign: Campaign, x: FakeX) -> None:
    post_id = campaign.approved()
    x.time_out()
    send_due_posts()
    with transaction() as session:
        session.get_one(CampaignPost, post_id).next_try_at = utc_now() - timedelta(seconds=1)
    seen: list[bool] = []
    x.meanwhile(lambda: seen.append(db.session().in_transaction()), at=f"GET /2/users/{USER_ID}/tweets")
    send_due_posts()
    assert seen == [False]
    assert read(post_id).state == PostState.SENT
