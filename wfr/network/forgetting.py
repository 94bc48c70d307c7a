"""Forgetting: a delivery loses its reader once nobody needs to know whom it was for; the figures stay.

Joined with its mailing's case, a delivery of news would say for ever who followed whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select, update

from wfr.extensions import db, transaction, utc_now
from wfr.network.models import Delivery, Mailing, Sort, UrgentIssue

NEWS_KEPT = timedelta(days=14)
"""How long after a message was settled a late bounce still finds its reader."""
OTHERS_KEPT = timedelta(days=60)
"""Longer than the month in which an Urgent Action counts among those that a member gets at most."""
LONGEST_KEPT = timedelta(days=365)
"""How long a chain of Urgent Actions may go on before who got an issue does not hear of its outcome any more."""
AT_ONCE = 5000
"""How many deliveries are changed in one transaction: each holds up whoever else writes."""


def forget_readers() -> int:
    """Take the reader out of each settled delivery whose time has come; return how many there were."""
    forgotten = 0
    for mailing_id, before in list(_due(utc_now())):
        while some := _forget(mailing_id, before):
            forgotten += some
    return forgotten


def _due(now: datetime) -> Iterator[tuple[int, datetime]]:
    """Yield each mailing with the moment before which its deliveries were settled that are to be forgotten now."""
    outcomes = select(UrgentIssue.action_id).join(Mailing, Mailing.issue_id == UrgentIssue.id)
    # An outcome that is still to start asks for whom its chain was sent to.
    done = outcomes.where(Mailing.sort == Sort.OUTCOME, Mailing.finished_at.is_not(None))
    over: set[int | None] = {None, *db.session.scalars(done)}
    started = (
        select(Mailing.id, Mailing.sort, UrgentIssue.action_id)
        .outerjoin(UrgentIssue, UrgentIssue.id == Mailing.issue_id)
        .where(Mailing.started_at < now - NEWS_KEPT)
        .order_by(Mailing.id)
    )
    for mailing_id, sort, action_id in db.session.execute(started).all():
        kept = NEWS_KEPT if sort == Sort.NEWS else OTHERS_KEPT if action_id in over else LONGEST_KEPT
        yield mailing_id, now - kept
    db.session.rollback()


def _forget(mailing_id: int, before: datetime) -> int:
    """Take the readers out of some deliveries of a mailing, and return of how many."""
    old = (Delivery.mailing_id == mailing_id, Delivery.member_id.is_not(None), Delivery.settled_at < before)
    some = select(Delivery.id).where(*old).order_by(Delivery.id).limit(AT_ONCE)
    anything = db.session.scalar(some.limit(1)) is not None
    db.session.rollback()
    if not anything:
        return 0
    with transaction() as session:
        done = session.execute(
            update(Delivery)
            .where(Delivery.id.in_(some))
            .values(member_id=None)
            .execution_options(synchronize_session=False)
        )
    return int(done.rowcount)  # type: ignore[attr-defined]  # An update's result has one.
