"""Following: the members who asked what happens to the people of a case, and how that ends by itself."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy import and_, delete, exists, func, or_, select

from wfr.cases.models import Case, CaseStatus, Season
from wfr.cases.queries import today
from wfr.extensions import AnySession, transaction, utc_now
from wfr.mail import forget_in_outbox
from wfr.network.links import LinkFor
from wfr.network.models import Delivery, DeliveryState, Follow, Frequency, Member
from wfr.network.preferring import locked_member

GOES_ON = timedelta(days=30)
"""How long a follow stays after its case has closed or was withdrawn, so that she can read what came of it."""
LASTS = timedelta(days=365)
"""How long a follow stays after the last day of a season, or of a case without one, that nobody has closed."""
OVER = (CaseStatus.CLOSED, CaseStatus.WITHDRAWN)
UNSETTLED = (DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING)

log = structlog.get_logger(__name__)


def add_follow(session: AnySession, member: Member, case_id: int) -> None:
    """Let a member, whose row is locked, follow a case, inside the caller's transaction; not one that was withdrawn."""
    case = session.get(Case, case_id, populate_existing=True)
    shown = case is not None and case.status not in (CaseStatus.DRAFT, CaseStatus.WITHDRAWN)
    if shown and session.get(Follow, (member.id, case_id)) is None:
        session.add(Follow(member_id=member.id, case_id=case_id))


def unfollow(*, token: str, case_id: int) -> None:
    """End a member's following of a case, by the link to her page; raises `NoSuchThing`, `DatabaseAway`."""
    with transaction() as session:
        member, _ = locked_member(session, token, LinkFor.ME)
        session.execute(delete(Follow).where(Follow.member_id == member.id, Follow.case_id == case_id))


def end_follows() -> int:
    """End the follows of cases that are long over; return how many there were.

    Over is what closed or was withdrawn a month ago, or whose season, or last day where it has none, ended a year ago.

    A member who asked for nothing but news of people she follows, and follows nobody any more, is erased.
    """
    with transaction() as session:
        # A case that came closed has no hour of closing: then it is that of the follow.
        settled = and_(Case.status.in_(OVER), func.coalesce(Case.status_at, Follow.followed_at) < utc_now() - GOES_ON)
        last_day = func.coalesce(Season.closes, Case.deadline)
        over = (
            select(Case.id)
            .outerjoin(Season, Season.id == Case.season_id)
            .where(Case.id == Follow.case_id, or_(settled, last_day < today() - LASTS))
        )
        ended = session.execute(delete(Follow).where(over.exists()).returning(Follow.case_id)).all()
        gone = session.execute(
            delete(Member)
            .where(
                Member.frequency == Frequency.FOLLOWING,
                Member.confirmed_at.is_not(None),
                Member.left_at.is_(None),
                ~exists().where(Follow.member_id == Member.id),
                ~exists().where(Delivery.member_id == Member.id, Delivery.state.in_(UNSETTLED)),
            )
            .returning(Member.email)
        ).scalars()
        erased = gone.all()
    for email in erased:
        forget_in_outbox(email)
    if ended or erased:
        log.info("follows_ended", follows=len(ended), members=len(erased))
    return len(ended)
