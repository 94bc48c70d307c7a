"""Campaign posts at the desk: written by one, approved by another, refused where something is in the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine, event, select

from tests.acting import text_of
from tests.factories import Cast
from tests.share.campaigning import WORDS, Campaign, case_named, change, change_case, read
from tests.staffing import Colleague, colleague
from wfr.cases.models import CaseStatus, CaseText, Target
from wfr.errors import NotAllowed, Refused
from wfr.extensions import db, transaction, utc_now
from wfr.pledges.models import Pledge, PledgeState
from wfr.share.models import CampaignPost, LinkPlace, PostState, ShareLink, SharePledge
from wfr.share.post_queries import posts_at_desk, posts_waiting_for
from wfr.share.posting import PostDraft, approve_post, change_post, return_post, submit_post
from wfr.share.sending import send_due_posts
from wfr.staff.models import Account, AuditEntry, Role

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def campaign(app: Flask, season: Cast) -> Campaign:
    with app.app_context():
        return Campaign.begin()


@pytest.fixture
def wren(app: Flask, season: Cast) -> Colleague:
    return colleague(app, "wren")


@pytest.fixture
def rhea(app: Flask, season: Cast) -> Colleague:
    return colleague(app, "rhea", Role.REVIEWER)


@contextmanager
def listening(engine: Engine, to: str, heard: Callable[..., object]) -> Iterator[None]:
    event.listen(engine, to, heard)
    yield
    event.remove(engine, to, heard)


def newest(app: Flask) -> CampaignPost:
    with app.app_context():
        return db.session.scalars(select(CampaignPost).order_by(CampaignPost.id.desc())).all()[0]


def fields(post: CampaignPost, **changes: str) -> dict[str, str]:
    return {"revision": str(post.revision), "words": WORDS, "link_in": "post", **changes}


def test_two_people_bring_a_post_into_the_queue(app: Flask, wren: Colleague, rhea: Colleague) -> None:
    with app.app_context():
        case_id = case_named("ada-vale").id
    wren.send("/desk/posts", case=str(case_id), language="en")
    post = newest(app)
    assert post.words == "Ada Vale: Held for a poem about a river" and "Ada Vale" in post.card_alt
    path = f"/desk/posts/{post.id}"
    saved = wren.send(path, **fields(post, card="y", card_alt="A stamp.", on="2099-01-02", at="09:30"))
    assert saved.status_code == 303
    wren.send(f"{path}/submit", revision=str(newest(app).revision))
    assert wren.send(f"{path}/approve", revision=str(newest(app).revision)).status_code == 403
    assert "Once you approve, it goes out on" in text_of(rhea.get(path))
    rhea.send(f"{path}/approve", revision=str(newest(app).revision))
    post = newest(app)
    assert (post.state, post.words, post.card_alt) == (PostState.APPROVED, WORDS, "A stamp.")
    assert "Scheduled" in text_of(rhea.get("/desk/posts?part=queue"))
    with app.app_context():
        told = db.session.execute(select(AuditEntry.what, AuditEntry.after).order_by(AuditEntry.number)).all()
    assert [what for what, _after in told if what.startswith("campaign_post")] == [
        f"campaign_post.{what}" for what in ("begun", "changed", "submitted", "approved")
    ]
    assert "poem" not in str(told)


def test_whoever_wrote_or_handed_in_a_post_does_not_approve_it(app: Flask, campaign: Campaign) -> None:
    with app.app_context():
        post_id = campaign.draft()
        change_post(by=campaign.reviewer, post_id=post_id, revision=1, draft=PostDraft("Mine.", card=False))
        submit_post(by=campaign.writer, post_id=post_id, revision=2)
        with pytest.raises(NotAllowed, match="somebody else"):
            approve_post(by=campaign.reviewer, post_id=post_id, revision=3)
        proposed = campaign.draft()
        submit_post(by=campaign.reviewer, post_id=proposed, revision=1)
        with pytest.raises(NotAllowed, match="somebody else"):
            approve_post(by=campaign.reviewer, post_id=proposed, revision=2)
        with pytest.raises(NotAllowed, match="another role"):
            approve_post(by=campaign.writer, post_id=proposed, revision=2)


def test_an_edit_removes_the_approval_and_nobody_saves_over_another(app: Flask, campaign: Campaign) -> None:
    with app.app_context():
        post_id = campaign.approved(publish_at=utc_now() + timedelta(days=1))
        revision = read(post_id).revision
        change_post(by=campaign.writer, post_id=post_id, revision=revision, draft=PostDraft("Other words."))
        post = read(post_id)
        assert (post.state, post.approved_by, post.submitted_by) == (PostState.DRAFT, None, None)
        with pytest.raises(Refused, match="moved on"):
            change_post(by=campaign.writer, post_id=post_id, revision=revision, draft=PostDraft("Lost."))
        with pytest.raises(Refused, match="moved on"):
            approve_post(by=campaign.reviewer, post_id=post_id, revision=post.revision)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"words": ""}, "says nothing"),
        ({"words": "a" * 257}, "1 too long: 281 of 280"),
        ({"words": "a" * 281, "link_in": LinkPlace.PROFILE}, "1 too long: 281 of 280"),
        ({"words": "Fine", "link_in": LinkPlace.REPLY, "reply_words": "字" * 129}, "reply is 2 too long"),
        ({"words": "See example.org"}, "Take out the address example.org"),
        ({"words": "Hello @somebody"}, "Take out @somebody"),
        ({"words": "So it is. RT@somebody"}, "Take out @somebody"),
        ({"words": "She wrote a poem. [S1]"}, r"Take out \[S1\]"),
        ({"words": "Fine", "card": True, "card_alt": " "}, "what the picture shows"),
    ],
)
def test_what_is_wrong_with_the_words_is_said_before_review(
    app: Flask, campaign: Campaign, changes: dict[str, object], why: str
) -> None:
    with app.app_context():
        post_id = campaign.draft(**changes)
        with pytest.raises(Refused, match=why):
            submit_post(by=campaign.writer, post_id=post_id, revision=1)


def test_a_post_may_speak_to_those_whom_its_case_speaks_to(app: Flask, campaign: Campaign) -> None:
    with app.app_context():
        with transaction() as session:
            minister = session.scalars(select(Target).where(Target.office == "Minister of Justice")).all()[0]
            minister.x_handle = "@Minister_Sand"
        post_id = campaign.draft(words="Set her free, @minister_sand!")
        submit_post(by=campaign.writer, post_id=post_id, revision=1)
        assert read(post_id).state == PostState.IN_REVIEW


def test_a_case_without_consent_to_x_is_not_offered_and_not_approved(
    app: Flask, campaign: Campaign, rhea_again: Colleague
) -> None:
    with app.app_context():
        post_id = campaign.draft()
        submit_post(by=campaign.writer, post_id=post_id, revision=1)
        change_case("ada-vale", on_x=False)
        with pytest.raises(Refused, match="consent"):
            approve_post(by=campaign.reviewer, post_id=post_id, revision=2)
    page = rhea_again.get("/desk/posts").get_data(as_text=True)
    assert re.search(r"<option[^>]*>Omar Sand", page) and not re.search(r"<option[^>]*>Ada Vale", page)


@pytest.fixture
def rhea_again(app: Flask, campaign: Campaign) -> Colleague:
    return colleague(app, "rhea-again", Role.REVIEWER)


def test_a_reviewer_gives_a_post_back_with_what_should_change(app: Flask, campaign: Campaign) -> None:
    with app.app_context():
        post_id = campaign.draft()
        submit_post(by=campaign.writer, post_id=post_id, revision=1)
        with pytest.raises(Refused, match="what should change"):
            return_post(by=campaign.reviewer, post_id=post_id, revision=2, words=" ")
        return_post(by=campaign.reviewer, post_id=post_id, revision=2, words="Shorter, please.")
        assert (read(post_id).state, read(post_id).note) == (PostState.DRAFT, "Shorter, please.")


def test_what_was_typed_is_kept_when_it_cannot_be_saved(app: Flask, campaign: Campaign, wren2: Colleague) -> None:
    with app.app_context():
        post_id = campaign.draft()
        post = read(post_id)
    stale = wren2.send(f"/desk/posts/{post_id}", **fields(post, revision="9", words="My new words"))
    assert stale.status_code == 422
    assert "My new words" in text_of(stale) and "Things have moved on" in text_of(stale)
    past = wren2.send(f"/desk/posts/{post_id}", **fields(post, on="2020-01-01", at="10:00"))
    assert past.status_code == 422 and "That moment has passed" in text_of(past)
    half = wren2.send(f"/desk/posts/{post_id}", **fields(post, on="2099-01-01"))
    assert half.status_code == 422 and "a day and a time" in text_of(half)
    other_half = wren2.send(f"/desk/posts/{post_id}", **fields(post, at="14:00"))
    assert other_half.status_code == 422 and "a day and a time" in text_of(other_half)


@pytest.fixture
def wren2(app: Flask, campaign: Campaign) -> Colleague:
    return colleague(app, "wren-too")


def test_the_preview_shows_words_length_price_and_problems_and_stores_nothing(
    app: Flask, campaign: Campaign, wren2: Colleague
) -> None:
    with app.app_context():
        post_id = campaign.draft()
        post = read(post_id)
    typed = fields(
        post, words="Free her, @somebody", link_in="reply", reply_words="Write:", card="y", card_alt="A stamp."
    )
    shown = wren2.post(
        f"/desk/posts/{post_id}/preview",
        data={"csrf_token": wren2.csrf_token(), **typed},
        headers={"HX-Request": "true"},
    )
    words = text_of(shown)
    assert "Free her, @somebody" in words and "19 of 280" in words and "30 of 280" in words
    assert "$0.22" in words and "Take out @somebody" in words
    assert 'data-said="It fits."' in shown.get_data(as_text=True)
    assert "/cards/ada-vale/en/" in shown.get_data(as_text=True)
    with app.app_context():
        assert read(post_id).words == WORDS and len(db.session.scalars(select(CampaignPost)).all()) == 1


def test_how_long_a_post_is_describes_its_words_and_is_said_when_it_changes(
    app: Flask, campaign: Campaign, wren2: Colleague
) -> None:
    with app.app_context():
        post_id = campaign.draft(words="a" * 281)
    page = wren2.get(f"/desk/posts/{post_id}").get_data(as_text=True)
    described = re.search(r'<textarea id="words"[^>]* aria-describedby="([^"]*)"', page)
    assert described and "post-measure" in described[1].split() and 'id="post-measure"' in page
    assert re.search(r'role="status" data-said-by="post-preview">It is too long.<', page)
    assert 'data-said="It is too long."' in page and "Before it can be handed in" in page
    with app.app_context():
        change(post_id, state=PostState.SENT, x_id="1990000000000000001", sent_at=utc_now())
    assert "Before it can be handed in" not in text_of(wren2.get(f"/desk/posts/{post_id}"))


def test_without_an_app_at_x_a_post_ends_as_would_have_been_sent(
    app: Flask, campaign: Campaign, wren2: Colleague
) -> None:
    with app.app_context():
        post_id = campaign.approved()
        send_due_posts()
        assert read(post_id).state == PostState.WOULD_SEND
    page = text_of(wren2.get("/desk/posts"))
    assert "nothing left this machine" in page and "Would have been sent" in page
    assert "Would have gone out on" in text_of(wren2.get(f"/desk/posts/{post_id}"))


def test_the_words_about_a_withdrawn_case_are_not_shown(app: Flask, campaign: Campaign, wren2: Colleague) -> None:
    with app.app_context():
        post_id = campaign.draft()
        change_case("ada-vale", status=CaseStatus.WITHDRAWN)
    for path in ("/desk/posts", f"/desk/posts/{post_id}"):
        page = text_of(wren2.get(path))
        assert "wrote a poem" not in page and "withdrawn" in page
    assert wren2.send(f"/desk/posts/{post_id}/submit", revision="1").status_code == 409


def test_a_sent_post_shows_its_address_and_what_came_of_its_own_link(
    app: Flask, campaign: Campaign, wren2: Colleague
) -> None:
    with app.app_context():
        post_id = campaign.draft()
        change(post_id, state=PostState.SENT, x_id="1990000000000000001", sent_at=utc_now())
        post, case = read(post_id), case_named("ada-vale")
        with transaction() as session:
            link = ShareLink(case_id=case.id, channel="campaign", sharer=post.sharer, visits=41)
            session.add(link)
            session.flush()
            for state in (PledgeState.TAKEN, PledgeState.PLEDGED, PledgeState.WITHDRAWN):
                pledge = Pledge(id=uuid4(), case_id=case.id, kind="letter", country="TG", language="en", state=state)
                session.add(pledge)
                session.flush()
                session.add(SharePledge(pledge_id=pledge.id, link_id=link.id))
    page = wren2.get("/desk/posts?part=sent")
    assert "Visits 41 Actions 2" in text_of(page)
    assert 'href="https://x.com/i/status/1990000000000000001"' in page.get_data(as_text=True)


def test_a_new_post_begins_without_the_names_of_sources(app: Flask, campaign: Campaign, wren2: Colleague) -> None:
    with app.app_context():
        case_id = case_named("ada-vale").id
        with transaction() as session:
            english = select(CaseText).where(CaseText.case_id == case_id, CaseText.language == "en")
            session.scalars(english).one().share = {"x": "Ada Vale wrote a poem [S1]."}
    wren2.send("/desk/posts", case=str(case_id), language="en")
    assert newest(app).words == "Ada Vale wrote a poem."


def test_words_that_are_too_long_come_back_with_the_reason(app: Flask, campaign: Campaign) -> None:
    reviewer = colleague(app, "rhea-too", Role.REVIEWER)
    with app.app_context():
        post_id = campaign.draft()
        submit_post(by=campaign.writer, post_id=post_id, revision=1)
    refused = reviewer.send(f"/desk/posts/{post_id}/return", revision="2", note="a" * 501)
    assert refused.status_code == 409 and "At most 500 characters" in text_of(refused)
    refused = reviewer.send(f"/desk/posts/{post_id}/went-out", revision="2", address="a" * 201)
    assert refused.status_code == 409 and "At most 200 characters" in text_of(refused)
    with app.app_context():
        assert read(post_id).state == PostState.IN_REVIEW


def test_a_longer_list_takes_no_more_reads(app: Flask, campaign: Campaign) -> None:
    with app.app_context():

        def reads() -> int:
            asked: list[str] = []
            db.session.rollback()
            with listening(
                db.engine, "before_cursor_execute", lambda _c, _k, statement, *_more: asked.append(statement)
            ):
                posts_at_desk()
                posts_waiting_for(db.session.get_one(Account, campaign.writer.account_id))
            return len(asked)

        campaign.draft()
        change(campaign.draft(), state=PostState.HELD, why="unclear")
        few = reads()
        for _time in range(3):
            campaign.draft("omar-sand")
            change(campaign.draft(), state=PostState.HELD, why="unclear")
        assert reads() == few


def test_a_held_post_is_resolved_by_a_reviewer_alone(app: Flask, campaign: Campaign, wren2: Colleague) -> None:
    reviewer = colleague(app, "rhea-too", Role.REVIEWER)
    with app.app_context():
        post_id = campaign.approved(publish_at=utc_now() + timedelta(days=1))
        change(post_id, state=PostState.HELD, why="unclear", tried_at=utc_now())
        revision = str(read(post_id).revision)
    path = f"/desk/posts/{post_id}"
    assert "A reviewer looks at X" in text_of(wren2.get(path))
    assert wren2.send(f"{path}/drop", revision=revision).status_code == 403
    assert "Its address on X" in text_of(reviewer.get(path))
    wrong = reviewer.send(f"{path}/went-out", revision=revision, address="https://evil.example/status/1234567")
    assert wrong.status_code == 409 and "Paste the post’s address" in text_of(wrong)
    reviewer.send(f"{path}/went-out", revision=revision, address="https://x.com/us/status/1990000000000000002")
    with app.app_context():
        assert (read(post_id).state, read(post_id).x_id) == (PostState.SENT, "1990000000000000002")
