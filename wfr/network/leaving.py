"""Leaving: nothing is sent any more from the moment of the answer, and all that is kept is a keyed digest."""

from __future__ import annotations

import time

import structlog
from sqlalchemy import delete, select, update

from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.mail import forget_in_outbox
from wfr.network.claiming import in_flight
from wfr.network.links import LinkFor, member_of_link
from wfr.network.models import Delivery, DeliveryState, Follow, Member, Reminder, SuppressedFor
from wfr.network.suppressing import suppress

LONGEST_WAIT_SECONDS = 15.0
"""How long leaving waits for a message that is being handed over in this moment; a job erases what is left then."""
NAP_SECONDS = 0.02

log = structlog.get_logger(__name__)


def leave(token: str) -> None:
    """Let the member of a link go: once this returns nothing more is sent to her, and her data are erased.

    A second click waits as the first does. A link that leads nowhere, or whose member has left before, is as good:
    there is nothing to do. Should a mail server keep a message to her in the air for longer than
    `LONGEST_WAIT_SECONDS`, this returns before, and that one message may still arrive. Raises `DatabaseAway`.
    """
    member_id = _turn_away(token)
    if member_id is None:
        return
    ends = time.monotonic() + LONGEST_WAIT_SECONDS
    while _on_its_way(member_id) and time.monotonic() < ends:
        time.sleep(NAP_SECONDS)
    _erase_left(member_id)


def finish_leaving() -> int:
    """Erase those who have left while a message to them was being handed over; return how many there were."""
    left = db.session.scalars(select(Member.id).where(Member.left_at.is_not(None))).all()
    return sum(_erase_left(member_id) for member_id in left)


def erase_member(session: AnySession, member: Member, why: SuppressedFor | None) -> None:
    """Delete a member with all that is kept of her, inside the caller's transaction.

    `why` is put on the suppression list, unless it is None: then nobody asked for it, and nothing is left at all. What
    was not sent yet is skipped. After the commit the caller has the outbox forget her (`wfr.mail.forget_in_outbox`).
    """
    if why is not None:
        suppress(session, member.email, why)
    _stop_all(session, member)
    session.delete(member)
    session.flush()


def _turn_away(token: str) -> int | None:
    """Write down that she has left, which every worker looks at before it sends; return her id."""
    with transaction() as session:
        try:
            found, _ = member_of_link(session, token, LinkFor.LEAVE)
        except NoSuchThing:
            return None
        member = session.get(Member, found.id, with_for_update=True, populate_existing=True)
        if member is None:
            return None
        if member.left_at is None:
            member.left_at = utc_now()
            suppress(session, member.email, SuppressedFor.LEFT)
            _stop_all(session, member)
        return member.id


def _stop_all(session: AnySession, member: Member) -> None:
    unsent = (DeliveryState.WAITING, DeliveryState.CLAIMED)
    session.execute(
        update(Delivery)
        .where(Delivery.member_id == member.id, Delivery.state.in_(unsent))
        .values(state=DeliveryState.SKIPPED, settled_at=utc_now(), claim=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Follow).where(Follow.member_id == member.id))
    session.execute(delete(Reminder).where(Reminder.email == member.email))


def _on_its_way(member_id: int) -> bool:
    # Each look is a transaction of its own: within one, SQLite would show the same moment for ever.
    db.session.rollback()
    try:
        return in_flight(db.session, member_id)
    finally:
        db.session.rollback()


def _erase_left(member_id: int) -> bool:
    """Delete the row of somebody who has left, unless a message to her is on its way; say whether it is gone now."""
    with transaction() as session:
        member = session.get(Member, member_id, with_for_update=True, populate_existing=True)
        if member is None or member.left_at is None or in_flight(session, member_id):
            return False
        email = member.email
        erase_member(session, member, SuppressedFor.LEFT)
    forget_in_outbox(email)
    log.info("member_left", member=member_id)
    return True
