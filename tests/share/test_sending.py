"""Campaign posts go out on X, once: tweepy's real client against a fake of X, whatever it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from tests.cases.test_public_pages import forget_everything
from tests.factories import Cast, make_case
from tests.share.campaigning import WORDS, Campaign, case_named, change, change_case, read, x_settings
from tests.share.fake_x import USER_ID, FakeX, Post
from wfr.cases.models import CaseStatus, Installation
from wfr.config import Settings
from wfr.errors import Refused
from wfr.extensions import db, transaction, utc_now
from wfr.share import cards
from wfr.share.attempts import backoff
from wfr.share.linking import link_url
from wfr.share.models import LinkPlace, PostState, XAccount, XCharge
from wfr.share.post_numbers import refresh_numbers
from wfr.share.posting import PostDraft, change_post
from wfr.share.resolving import drop_held, rewrite_held, say_sent, send_again
from wfr.share.sending import send_due_posts

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return x_settings(tmp_path, database_url)


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def x(app: Flask) -> Iterator[FakeX]:
    with app.app_context(), FakeX().answering() as fake:
        yield fake


@pytest.fixture
def campaign(clock: Traveller, season: Cast, x: FakeX) -> Campaign:
    del clock, season
    campaign = Campaign.begin()
    campaign.connect(x)
    return campaign


def later(clock: Traveller, **time: int) -> None:
    """Let time pass, and the queue come by."""
    clock.shift(timedelta(**time))
    send_due_posts()


def charged() -> list[str]:
    return list(db.session.scalars(select(XCharge.what).order_by(XCharge.id)))


@SQLITE
def test_a_post_goes_out_with_its_picture_described_and_its_link_in_the_reply(campaign: Campaign, x: FakeX) -> None:
    post_id = campaign.approved(
        link_in=LinkPlace.REPLY, reply_words="Write here:", card=True, card_alt="The stamp of Ada Vale."
    )
    send_due_posts()
    post = read(post_id)
    assert (post.state, post.x_id, post.reply_x_id) == (PostState.SENT, x.posts[0].id, x.posts[1].id)
    assert x.posts[0].text == WORDS and x.posts[0].reply_to is None
    assert x.posts[1].text == f"Write here: {link_url(case_named('ada-vale'), 'campaign', post.sharer)}"
    assert x.posts[1].reply_to == post.x_id
    (picture,) = x.media.values()
    assert picture.data.startswith(b"\x89PNG") and picture.alt == "The stamp of Ada Vale."
    assert x.posts[0].media_ids == [post.media_id]
    assert charged() == ["media", "post", "post_with_link"]
    send_due_posts()
    assert len(x.posts) == 2


@SQLITE
def test_a_post_with_its_link_waits_for_its_hour(campaign: Campaign, x: FakeX, clock: Traveller) -> None:
    post_id = campaign.approved(publish_at=utc_now() + timedelta(hours=3))
    later(clock, hours=2, minutes=59)
    assert x.posts == [] and read(post_id).state == PostState.APPROVED
    later(clock, minutes=1)
    assert x.posts[0].text == f"{WORDS} {link_url(case_named('ada-vale'), 'campaign', read(post_id).sharer)}"
    assert charged() == ["post_with_link"]


@SQLITE
@pytest.mark.parametrize("link_in", [LinkPlace.POST, LinkPlace.PROFILE])
def test_a_post_that_x_took_without_an_answer_is_found_and_not_posted_again(
    campaign: Campaign, x: FakeX, clock: Traveller, link_in: LinkPlace
) -> None:
    post_id = campaign.approved(link_in=link_in)
    x.time_out()
    send_due_posts()
    assert (read(post_id).state, read(post_id).why) == (PostState.SENDING, "unclear")
    later(clock, minutes=1)
    assert x.count(f"GET /2/users/{USER_ID}/tweets") == 0
    later(clock, minutes=2)
    assert (read(post_id).state, read(post_id).x_id) == (PostState.SENT, x.posts[0].id)
    assert x.count("POST /2/tweets") == 1


@SQLITE
def test_a_post_that_a_killed_worker_made_is_found_by_its_link(campaign: Campaign, x: FakeX, clock: Traveller) -> None:
    post_id = campaign.approved(link_in=LinkPlace.REPLY, words="One & two < three")
    change(post_id, state=PostState.SENDING, tried_at=utc_now(), next_try_at=utc_now() + timedelta(minutes=5), tries=1,
           x_account_id=db.session.scalar(select(XAccount.id)))  # fmt: skip
    x.posts.append(Post("1990000000000000777", "One & two < three", [], None, utc_now()))
    send_due_posts()
    assert x.asked == []  # It still belongs to the worker that was killed.
    later(clock, minutes=6)
    post = read(post_id)
    assert post.x_id == "1990000000000000777" and post.reply_x_id == x.posts[1].id
    assert x.count("POST /2/tweets") == 1  # The reply alone.


@SQLITE
def test_a_post_that_x_never_took_is_tried_again_after_two_looks_and_five_minutes(
    campaign: Campaign, x: FakeX, clock: Traveller
) -> None:
    post_id = campaign.approved()
    x.time_out(after=False)
    send_due_posts()
    later(clock, minutes=3)
    assert (read(post_id).state, read(post_id).why) == (PostState.SENDING, "not_there")
    later(clock, minutes=1)
    assert x.count("POST /2/tweets") == 1
    later(clock, minutes=2)
    assert read(post_id).state == PostState.SENT and len(x.posts) == 1
    assert x.count(f"GET /2/users/{USER_ID}/tweets") == 2


@SQLITE
def test_a_timeline_that_lags_behind_does_not_bring_a_second_post(
    campaign: Campaign, x: FakeX, clock: Traveller
) -> None:
    post_id = campaign.approved()
    x.time_out()
    send_due_posts()
    x.posts[0].hidden = True
    later(clock, minutes=3)
    x.posts[0].hidden = False
    later(clock, minutes=6)
    assert read(post_id).state == PostState.SENT and len(x.posts) == 1 and x.count("POST /2/tweets") == 1


@SQLITE
def test_a_reply_without_an_answer_is_looked_for_and_the_post_is_left_alone(
    campaign: Campaign, x: FakeX, clock: Traveller
) -> None:
    post_id = campaign.approved(link_in=LinkPlace.REPLY)
    x.next(503, at="POST /2/tweets", after=True)
    send_due_posts()
    # The first answer was lost; when it is found, the reply follows, and its answer is lost too.
    x.time_out()
    later(clock, minutes=3)
    assert read(post_id).x_id == x.posts[0].id and read(post_id).reply_x_id is None
    later(clock, minutes=5)
    assert (read(post_id).state, read(post_id).reply_x_id) == (PostState.SENT, x.posts[1].id)
    assert len(x.posts) == 2


@SQLITE
def test_two_posts_that_could_be_it_are_for_a_person(campaign: Campaign, x: FakeX, clock: Traveller) -> None:
    post_id = campaign.approved(link_in=LinkPlace.PROFILE)
    x.time_out()
    send_due_posts()
    x.posts.append(Post("1990000000000000778", WORDS, [], None, utc_now()))
    later(clock, minutes=3)
    assert (read(post_id).state, read(post_id).why) == (PostState.HELD, "unclear")
    later(clock, hours=5)
    assert x.count("POST /2/tweets") == 1


@SQLITE
def test_a_search_that_x_refuses_leaves_the_post_to_a_person(campaign: Campaign, x: FakeX, clock: Traveller) -> None:
    post_id = campaign.approved()
    x.time_out()
    send_due_posts()
    x.next(403, at="GET ")
    later(clock, minutes=3)
    assert (read(post_id).state, read(post_id).why) == (PostState.HELD, "unclear")


@SQLITE
def test_another_account_is_not_searched_for_what_the_first_may_have_posted(
    campaign: Campaign, x: FakeX, clock: Traveller
) -> None:
    post_id = campaign.approved()
    x.time_out()
    send_due_posts()
    with transaction() as session:
        session.scalars(select(XAccount)).one().user_id = "1"
    x.user_id = "2"
    campaign.connect(x)
    later(clock, minutes=3)
    assert (read(post_id).state, read(post_id).why) == (PostState.HELD, "unclear")


@SQLITE
def test_nothing_goes_out_before_the_hour_that_x_names(campaign: Campaign, x: FakeX, clock: Traveller) -> None:
    post_id, other_id = campaign.approved(), campaign.approved("omar-sand", words="Omar Sand is held.")
    reset = NOW + timedelta(minutes=40)
    x.next(429, at="POST /2/tweets", headers={"x-rate-limit-reset": str(int(reset.timestamp()))})
    send_due_posts()
    post = read(post_id)
    assert (post.state, post.why) == (PostState.APPROVED, "limited")
    assert post.next_try_at == reset.replace(tzinfo=None)
    later(clock, minutes=39)
    assert x.count("POST /2/tweets") == 1
    later(clock, minutes=2)
    assert {read(post_id).state, read(other_id).state} == {PostState.SENT}
    assert db.session.scalars(select(XAccount)).one().problem is None


@SQLITE
def test_a_duplicate_and_a_refusal_are_held(campaign: Campaign, x: FakeX) -> None:
    x.posts.append(Post("1", WORDS, [], None, utc_now()))
    twice = campaign.approved(link_in=LinkPlace.PROFILE)
    send_due_posts()
    x.next(403, at="POST /2/tweets")
    forbidden = campaign.approved("omar-sand", words="Omar Sand is held.")
    send_due_posts()
    assert (read(twice).state, read(twice).why) == (PostState.HELD, "duplicate")
    assert (read(forbidden).state, read(forbidden).why) == (PostState.HELD, "forbidden")


@SQLITE
def test_an_unknown_token_stops_everything_until_somebody_connects_anew(
    campaign: Campaign, x: FakeX, clock: Traveller
) -> None:
    first, second = campaign.approved(), campaign.approved("omar-sand", words="Omar Sand is held.")
    x.next(401, at="POST /2/tweets")
    send_due_posts()
    later(clock, minutes=10)
    assert x.count("POST /2/tweets") == 1
    assert {read(first).state, read(second).state} == {PostState.APPROVED}
    assert {read(first).why, read(second).why} == {"reconnect"}
    campaign.connect(x)
    later(clock, minutes=1)
    assert len(x.posts) == 2


@SQLITE
def test_a_post_that_did_not_reach_x_is_tried_later_each_time_and_held_in_the_end(
    campaign: Campaign, x: FakeX, clock: Traveller
) -> None:
    post_id = campaign.approved()
    for tries in range(1, 8):
        x.refuse_connection(at="POST /2/tweets")
        send_due_posts()
        assert (read(post_id).state, read(post_id).why) == (PostState.APPROVED, "unreachable")
        assert read(post_id).next_try_at == utc_now() + backoff(tries)
        clock.shift(backoff(tries))
    x.refuse_connection(at="POST /2/tweets")
    send_due_posts()
    assert (read(post_id).state, read(post_id).why) == (PostState.HELD, "tries")
    assert x.posts == [] and backoff(1) == timedelta(minutes=2) and backoff(9) == timedelta(hours=4)


@SQLITE
def test_a_picture_is_handed_over_once_and_anew_when_x_has_forgotten_it(
    campaign: Campaign, x: FakeX, clock: Traveller
) -> None:
    post_id = campaign.approved(card=True, card_alt="A stamp.")
    x.refuse_connection(at="POST /2/tweets")
    send_due_posts()
    x.refuse_connection(at="POST /2/tweets")
    later(clock, minutes=3)
    assert len(x.media) == 1 and read(post_id).media_id in x.media
    later(clock, hours=24)
    assert len(x.media) == 2 and x.posts[0].media_ids == [read(post_id).media_id]


@pytest.fixture
def sheet(app: Flask, campaign: Campaign, season: Cast) -> int:
    """A post about the season whose card shows four stamps, Ada Vale's among them."""
    make_case(season.season, "fourth", "Fourth Name")
    db.session.commit()
    forget_everything(app)
    return campaign.approved(None, words="Write for them.", card=True, card_alt="Four stamps.")


def withdraw_ada(app: Flask) -> None:
    """Withdraw the case, and let this process know at once what it would know within four seconds."""
    with app.app_context():
        change_case("ada-vale", status=CaseStatus.WITHDRAWN)
    forget_everything(app)


@SQLITE
def test_a_picture_that_shows_somebody_withdrawn_since_is_not_used_at_the_next_try(
    app: Flask, x: FakeX, clock: Traveller, sheet: int
) -> None:
    x.refuse_connection(at="POST /2/tweets")
    send_due_posts()
    withdraw_ada(app)
    later(clock, minutes=3)
    first, second = x.media
    assert x.posts[0].media_ids == [second] and x.media[first].data != x.media[second].data
    assert charged() == ["media", "media", "post_with_link"]
    assert read(sheet).state == PostState.SENT


@SQLITE
def test_a_picture_that_shows_somebody_withdrawn_while_it_was_handed_over_is_not_posted(
    app: Flask, x: FakeX, sheet: int
) -> None:
    x.meanwhile(lambda: withdraw_ada(app), at="POST /2/media/metadata")
    send_due_posts()
    _first, second = x.media
    assert [post.media_ids for post in x.posts] == [[second]]
    assert read(sheet).state == PostState.SENT


@SQLITE
@pytest.mark.parametrize(
    ("status", "state", "why"),
    [
        (429, PostState.APPROVED, "limited"),
        (403, PostState.HELD, "forbidden"),
        (503, PostState.APPROVED, "unreachable"),
    ],
)
def test_a_picture_that_x_does_not_take_keeps_its_post_back(
    campaign: Campaign, x: FakeX, clock: Traveller, status: int, state: PostState, why: str
) -> None:
    post_id = campaign.approved(card=True, card_alt="A stamp.")
    x.next(status, at="POST /2/media/upload")
    send_due_posts()
    assert (read(post_id).state, read(post_id).why, read(post_id).tried_at) == (state, why, None)
    assert x.posts == [] and charged() == []
    later(clock, minutes=16)
    assert len(x.posts) == (1 if state == PostState.APPROVED else 0)


@SQLITE
def test_a_post_whose_picture_cannot_be_drawn_is_held(
    campaign: Campaign, x: FakeX, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_id = campaign.approved(card=True, card_alt="A stamp.")
    monkeypatch.setattr(cards, "STYLESHEET", "css/not-there.css")
    send_due_posts()
    assert (read(post_id).state, read(post_id).why) == (PostState.HELD, "card")
    assert x.asked == []


@SQLITE
def test_a_worker_whose_post_was_taken_over_settles_nothing(campaign: Campaign, x: FakeX) -> None:
    post_id = campaign.approved(card=True, card_alt="A stamp.")
    other = utc_now() + timedelta(minutes=20)
    x.meanwhile(lambda: change(post_id, tried_at=utc_now(), next_try_at=other), at="POST /2/media/upload")
    x.next(403, at="POST /2/media/metadata")
    send_due_posts()
    post = read(post_id)
    assert (post.state, post.tried_at, post.next_try_at) == (PostState.SENDING, utc_now(), other)
    assert x.posts == []


@SQLITE
def test_a_token_that_runs_out_between_two_posts_is_renewed(campaign: Campaign, x: FakeX, clock: Traveller) -> None:
    first, second = campaign.approved(), campaign.approved("omar-sand", words="Omar Sand is held.")
    with transaction() as session:
        session.scalars(select(XAccount)).one().expires_at = utc_now() + timedelta(minutes=4)

    def run_out() -> None:
        clock.shift(timedelta(minutes=5))
        x.access.clear()

    x.meanwhile(run_out, at="POST /2/tweets")
    send_due_posts()
    assert {read(first).state, read(second).state} == {PostState.SENT}
    assert x.count("POST /2/oauth2/token") == 1


def test_two_workers_at_once_send_one_post(app: Flask, campaign: Campaign, x: FakeX) -> None:
    post_id = campaign.approved(link_in=LinkPlace.REPLY)
    start = threading.Barrier(3)

    def work() -> None:
        with app.app_context():
            start.wait()
            send_due_posts()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert read(post_id).state == PostState.SENT
    assert [post.reply_to for post in x.posts] == [None, read(post_id).x_id]


@SQLITE
@pytest.mark.parametrize(
    ("change_of_case", "state", "why"),
    [
        ({"status": CaseStatus.WITHDRAWN}, PostState.CANCELLED, "withdrawn"),
        ({"on_x": False}, PostState.HELD, "consent"),
        ({"consent_ends": NOW.date() - timedelta(days=1)}, PostState.HELD, "consent"),
        ({"status": CaseStatus.PAUSED}, PostState.HELD, "standing"),
    ],
)
def test_what_a_case_no_longer_allows_does_not_go_out(
    campaign: Campaign, x: FakeX, change_of_case: dict[str, object], state: PostState, why: str
) -> None:
    post_id = campaign.approved()
    change_case("ada-vale", **change_of_case)
    send_due_posts()
    assert (read(post_id).state, read(post_id).why) == (state, why)
    assert x.asked == []


@SQLITE
def test_a_case_withdrawn_while_its_picture_is_handed_over_is_not_posted(
    campaign: Campaign, x: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_id = campaign.approved(card=True, card_alt="A stamp.")
    describe = x._describe

    def withdraw_meanwhile(*args: object) -> tuple[int, object]:
        change_case("ada-vale", status=CaseStatus.WITHDRAWN)
        return describe(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(x, "_describe", withdraw_meanwhile)
    send_due_posts()
    assert (read(post_id).state, read(post_id).why) == (PostState.CANCELLED, "withdrawn")
    assert x.posts == [] and len(x.media) == 1


@SQLITE
def test_drafts_of_a_withdrawn_case_are_called_off_within_a_minute(campaign: Campaign, x: FakeX) -> None:
    drafted, scheduled = campaign.draft(), campaign.approved(publish_at=utc_now() + timedelta(days=3))
    change_case("ada-vale", status=CaseStatus.WITHDRAWN)
    send_due_posts()
    assert {read(drafted).state, read(scheduled).state} == {PostState.CANCELLED}


@SQLITE
def test_the_budget_stops_the_queue_until_the_next_month(campaign: Campaign, x: FakeX, clock: Traveller) -> None:
    with transaction() as session:
        session.add(XCharge(what="post", micros=19_790_000))
    with_link = campaign.approved(link_in=LinkPlace.REPLY)
    without = campaign.approved("omar-sand", words="Omar Sand is held.", link_in=LinkPlace.PROFILE)
    send_due_posts()
    assert (read(with_link).state, read(with_link).why) == (PostState.APPROVED, "budget")
    assert read(without).state == PostState.SENT
    clock.move_to(datetime(2026, 12, 1, 0, 1, tzinfo=UTC))
    change_case("ada-vale", deadline=None)
    send_due_posts()
    assert read(with_link).state == PostState.SENT


@SQLITE
def test_an_edit_takes_an_approved_post_out_of_the_queue(campaign: Campaign, x: FakeX) -> None:
    post_id = campaign.approved()
    change_post(by=campaign.reviewer, post_id=post_id, revision=read(post_id).revision, draft=PostDraft("Other words."))
    send_due_posts()
    assert read(post_id).state == PostState.DRAFT and x.asked == []


@SQLITE
def test_a_demonstration_never_asks_x_and_says_what_it_would_have_sent(campaign: Campaign, x: FakeX) -> None:
    with transaction() as session:
        session.merge(Installation(id=1, demonstration=True))
    post_id = campaign.approved()
    send_due_posts()
    assert read(post_id).state == PostState.WOULD_SEND and read(post_id).sent_at == utc_now()
    assert x.asked == []


@SQLITE
def test_a_site_that_nobody_else_can_open_sends_nothing(app: Flask, campaign: Campaign, x: FakeX) -> None:
    here = {"public_url": "http://127.0.0.1:8000"}
    app.extensions["wfr.settings"] = app.extensions["wfr.settings"].model_copy(update=here)
    post_id = campaign.approved()
    send_due_posts()
    assert read(post_id).state == PostState.WOULD_SEND
    assert x.asked == []


@SQLITE
@pytest.mark.parametrize("name", ["Sunrise_Letters", "i"])
def test_a_held_post_that_a_person_found_gets_its_reply(
    campaign: Campaign, x: FakeX, clock: Traveller, name: str
) -> None:
    post_id = campaign.approved(link_in=LinkPlace.REPLY)
    x.next(403, at="POST /2/tweets", body={"detail": "duplicate content"})
    send_due_posts()
    x.posts.append(Post("1990000000000000779", WORDS, [], None, utc_now()))
    strange = "https://x.com/somebody/status/1990000000000000779"
    with pytest.raises(Refused, match="@somebody, which is not our account"):
        say_sent(by=campaign.reviewer, post_id=post_id, revision=read(post_id).revision, address=strange)
    address = f"https://x.com/{name}/status/1990000000000000779?s=20"
    say_sent(by=campaign.reviewer, post_id=post_id, revision=read(post_id).revision, address=address)
    later(clock, minutes=1)
    post = read(post_id)
    assert (post.state, post.x_id) == (PostState.SENT, "1990000000000000779")
    assert post.reply_x_id == x.posts[1].id and x.posts[1].reply_to == post.x_id


@SQLITE
def test_a_held_post_is_tried_again_changed_or_dropped(campaign: Campaign, x: FakeX) -> None:
    ids = []
    for number in range(3):
        ids.append(campaign.approved(words=f"Ada Vale, {number}"))
        x.next(400, at="POST /2/tweets")
        send_due_posts()
    again, changed, dropped = ids
    send_again(by=campaign.reviewer, post_id=again, revision=read(again).revision)
    rewrite_held(by=campaign.reviewer, post_id=changed, revision=read(changed).revision)
    drop_held(by=campaign.reviewer, post_id=dropped, revision=read(dropped).revision)
    send_due_posts()
    assert [read(each).state for each in ids] == [PostState.SENT, PostState.DRAFT, PostState.CANCELLED]
    assert len(x.posts) == 1


@SQLITE
def test_numbers_are_read_hourly_on_the_first_day_then_daily_and_within_the_budget(
    campaign: Campaign, x: FakeX, clock: Traveller
) -> None:
    post_id = campaign.approved()
    send_due_posts()
    assert refresh_numbers() == 1
    post = read(post_id)
    assert (post.likes, post.reposts, post.replies, post.shown) == (3, 2, 1, 400)
    assert charged() == ["post_with_link", "read"]
    clock.shift(timedelta(minutes=30))
    assert refresh_numbers() == 0
    clock.shift(timedelta(minutes=30))
    assert refresh_numbers() == 1
    clock.shift(timedelta(days=2))
    assert refresh_numbers() == 1
    clock.shift(timedelta(hours=2))
    assert refresh_numbers() == 0
    with transaction() as session:
        session.add(XCharge(what="post", micros=20_000_000))
    clock.shift(timedelta(days=2))
    assert refresh_numbers() == 0
