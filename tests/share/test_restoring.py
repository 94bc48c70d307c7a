"""A backup that is restored sends nothing a second time."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.factories import Cast
from tests.share.campaigning import Campaign, read
from wfr.share.models import PostState
from wfr.share.restoring import hold_restored_posts
from wfr.share.sending import send_due_posts

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_post_that_waited_when_the_backup_was_made_is_held(app: Flask, season: Cast) -> None:
    del season
    with app.app_context():
        campaign = Campaign.begin()
        waiting, draft = campaign.approved(), campaign.draft()
        assert hold_restored_posts() == 1
        send_due_posts()
        assert (read(waiting).state, read(waiting).why) == (PostState.HELD, "restored")
        assert read(draft).state == PostState.DRAFT
