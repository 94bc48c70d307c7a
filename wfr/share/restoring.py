"""What a restored backup must not do by itself."""

from __future__ import annotations

from sqlalchemy import select

from wfr.extensions import transaction
from wfr.share.attempts import hold
from wfr.share.models import CampaignPost, PostState


def hold_restored_posts() -> int:
    """Hold every campaign post that waits for the queue, and return how many: it may have gone out since the backup."""
    with transaction() as session:
        waiting = CampaignPost.state.in_((PostState.APPROVED, PostState.SENDING))
        found = session.scalars(select(CampaignPost).where(waiting).with_for_update()).all()
        for post in found:
            hold(session, post, "restored")
    return len(found)
