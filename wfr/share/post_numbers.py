"""What X says of posts that went out: how often they were shown, liked, reposted and answered."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from wfr.extensions import db, transaction, utc_now
from wfr.share import x
from wfr.share.models import CampaignPost, PostState
from wfr.share.renewing import NotConnected, usable_access
from wfr.share.sending import stays_because
from wfr.share.spending import Charge, charge, fits_budget, price

log = structlog.get_logger(__name__)

WATCHED = timedelta(days=14)
FIRST_DAY = timedelta(days=1)
OFTEN, SELDOM = timedelta(minutes=55), timedelta(hours=23)
MOST_AT_ONCE = 100


def refresh_numbers() -> int:
    """Ask X for the numbers of recent posts, and return of how many it told us.

    Hourly on a post's first day, then daily for two weeks. X charges for a post once a UTC day, however often it is
    read ("Deduplication" on its page of prices). The budget that posts need comes first: where it does not cover the
    reads as well, nothing is asked.
    """
    if stays_because():
        return 0
    wanted = {post.x_id: post.id for post in _due(utc_now()) if post.x_id}
    if not wanted or not fits_budget(db.session, price(Charge.READ) * len(wanted), utc_now()):
        return 0
    db.session.rollback()
    try:
        _account, access = usable_access(now=utc_now())
    except NotConnected:
        return 0
    try:
        numbers = x.numbers_of(access, list(wanted))
    except x.XProblem as problem:
        log.warning("post_numbers_not_read", why=problem.why)
        return 0
    _keep(wanted, numbers)
    return len(numbers)


def _due(now: datetime) -> list[CampaignPost]:
    recent = select(CampaignPost).where(
        CampaignPost.state == PostState.SENT, CampaignPost.x_id.is_not(None), CampaignPost.sent_at >= now - WATCHED
    )
    return [post for post in db.session.scalars(recent.order_by(CampaignPost.id)) if _is_due(post, now)][:MOST_AT_ONCE]


def _is_due(post: CampaignPost, now: datetime) -> bool:
    if post.numbers_at is None or post.sent_at is None:
        return True
    return now - post.numbers_at >= (OFTEN if now - post.sent_at <= FIRST_DAY else SELDOM)


def _keep(wanted: dict[str, int], numbers: dict[str, x.Numbers]) -> None:
    with transaction() as session:
        for x_id, post_id in wanted.items():
            post = session.get_one(CampaignPost, post_id, with_for_update=True, populate_existing=True)
            paid = post.numbers_at is not None and post.numbers_at.date() == utc_now().date()
            post.numbers_at = utc_now()
            if x_id in numbers:
                said = numbers[x_id]
                post.likes, post.reposts, post.replies, post.shown = said.likes, said.reposts, said.replies, said.shown
                if not paid:
                    charge(session, Charge.READ, post.id)
