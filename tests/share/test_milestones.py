"""Milestones propose one draft each, by themselves, from numbers that are real."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import delete, select

from tests.factories import Cast
from tests.share.campaigning import case_named, change_case
from wfr.cases.models import Installation
from wfr.extensions import db, kept, transaction, utc_now
from wfr.pledges.models import TallyCount
from wfr.share.milestones import milestone_words, propose_milestones
from wfr.share.models import CampaignPost, PostState
from wfr.share.post_rules import problems_of

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("season"),
]


def count(slug: str, pledged: int, simulated: int = 0) -> None:
    """Make the tally of a case say so."""
    case_id = case_named(slug).id
    with transaction() as session:
        session.execute(delete(TallyCount).where(TallyCount.case_id == case_id))
        session.add(
            TallyCount(case_id=case_id, kind="letter", country="TG", shard=0, pledged=pledged, simulated=simulated)
        )
    for name in ("board", "shelf"):
        kept().forget(name)


def occasions() -> list[str | None]:
    return list(db.session.scalars(select(CampaignPost.occasion).order_by(CampaignPost.id)))


def test_each_milestone_proposes_one_draft_that_waits_for_people(app: Flask, season: Cast) -> None:
    with app.app_context():
        count(season.tiny, 1_000)
        assert propose_milestones() == 0
        count(season.tiny, 1_001)
        assert (propose_milestones(), propose_milestones()) == (1, 0)
        post = db.session.scalars(select(CampaignPost)).one()
        assert post.occasion == f"case:{post.case_id}:1000"
        assert (post.state, post.begun_by, post.approved_by) == (PostState.DRAFT, None, None)
        assert post.words.startswith("More than 1,000 actions for Ada Vale, as of ")
        assert problems_of(post, case_named(season.tiny), utc_now().date()) == []


def test_of_several_passed_at_once_the_highest_is_proposed_and_none_below_it_later(app: Flask, season: Cast) -> None:
    with app.app_context():
        count(season.tiny, 120_000)
        assert propose_milestones() == 2
        case_id = case_named(season.tiny).id
        assert set(occasions()) == {"world:100000", f"case:{case_id}:100000"}
        count(season.tiny, 99_000)
        assert propose_milestones() == 0
        count(season.tiny, 120_000)
        assert propose_milestones() == 0


def test_cases_whose_consent_does_not_cover_x_propose_nothing(app: Flask, season: Cast) -> None:
    with app.app_context():
        change_case(season.tiny, on_x=False)
        count(season.tiny, 5_000)
        assert propose_milestones() == 0


def test_simulated_actions_do_not_count(app: Flask, season: Cast) -> None:
    with app.app_context():
        count(season.tiny, 150_000, simulated=149_500)
        assert propose_milestones() == 0


def test_a_demonstration_proposes_one_draft_of_the_world_that_says_so(app: Flask, season: Cast) -> None:
    with app.app_context():
        with transaction() as session:
            session.merge(Installation(id=1, demonstration=True))
        count(season.tiny, 150_000, simulated=150_000)
        assert propose_milestones() == 1
        assert occasions() == ["world:100000"]
        assert db.session.scalars(select(CampaignPost.words)).one().startswith("DEMONSTRATION")


def test_the_words_say_actions_and_never_people(app: Flask, season: Cast) -> None:
    with app.app_context():
        words = milestone_words(None, 1_000_000, season.season.opens)
    assert words.startswith("More than 1,000,000 actions ") and str(season.season.opens.year) in words
