"""What a restored backup must not do by itself: send again what has gone out since, write to who has left since."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, exists, func, inspect, select, update

from wfr.extensions import AnySession, db, transaction
from wfr.mail import forget_in_outbox
from wfr.network.leaving import erase_member
from wfr.network.models import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingState,
    MailingWorker,
    Member,
    SuppressedFor,
    Suppression,
)
from wfr.network.preparing import back_to_review, note, touch
from wfr.network.stopping import UNDER_WAY
from wfr.network.suppressing import digest_of
from wfr.staff.models import JOB

IT_MAY_BE_OUT = _l("The site was restored from a backup. The mailing may have gone out since: look before you approve.")

Kept = dict[str, tuple[SuppressedFor, date]]
"""A suppression list that is kept aside while a restore deletes the database: why and since when, by digest."""


def hold_restored_mailings() -> int:
    """Hold every mailing that would go on by itself, and return how many: it may have been sent since the backup.

    What runs or is paused waits as paused, with why ``restored``; what waits for its hour waits for review again. What
    workers of that time had claimed belongs to nobody; a message that was in flight is not sent a second time unless
    somebody resumes the mailing.
    """
    with transaction() as session:
        found = session.scalars(
            select(Mailing).where(Mailing.state.in_(UNDER_WAY)).order_by(Mailing.id).with_for_update()
        ).all()
        for mailing in found:
            _hold(session, mailing)
        taken = Delivery.state.in_((DeliveryState.CLAIMED, DeliveryState.SENDING))
        session.execute(update(Delivery).where(taken).values(state=DeliveryState.WAITING, claim=None))
        session.execute(delete(MailingWorker))
    return len(found)


def suppression_list() -> Kept | None:
    """Return the suppression list as it stands before a restore deletes it.

    None where there is none: the database has never had a member that it knows of.
    """
    try:
        if not inspect(db.engine).has_table(Suppression.__tablename__):
            return None
        kept = {each.digest: (SuppressedFor(each.why), each.since) for each in db.session.scalars(select(Suppression))}
        return kept if kept or db.session.scalar(select(exists().where(Member.id.is_not(None)))) else None
    finally:
        # The restore writes on a connection of its own.
        db.session.remove()


def keep_suppressed(kept: Kept) -> int:
    """Put a list that was kept from before a restore onto the restored one, and erase every member that is on it.

    The kept list is the newer one and wins, except that who bounced stays bounced. Returns how many were erased.
    """
    with transaction() as session:
        for digest, (why, since) in kept.items():
            _suppress(session, digest, why, since)
        session.flush()
        on_list = set(session.scalars(select(Suppression.digest)))
        members = session.execute(select(Member.id, Member.email)).all()
        erased = [(member_id, email) for member_id, email in members if digest_of(email) in on_list]
        for member_id, _email in erased:
            erase_member(session, session.get_one(Member, member_id), None)
    for _id, email in erased:
        forget_in_outbox(email)
    return len(erased)


def count_restored_members() -> int:
    """Return how many members there are after a restore, among whom may be some who have left since the backup."""
    count = db.session.scalar(select(func.count(Member.confirmed_at))) or 0
    db.session.rollback()
    return count


def _suppress(session: AnySession, digest: str, why: SuppressedFor, since: date) -> None:
    there = session.get(Suppression, digest)
    if there is None:
        session.add(Suppression(digest=digest, why=why, since=since))
        return
    bounced = SuppressedFor.BOUNCED in (why, there.why)
    there.why, there.since = (SuppressedFor.BOUNCED if bounced else why), max(since, there.since)


def _hold(session: AnySession, mailing: Mailing) -> None:
    if mailing.state == MailingState.APPROVED:
        back_to_review(session, mailing)
        mailing.note = str(IT_MAY_BE_OUT)
    else:
        mailing.state, mailing.why = MailingState.PAUSED, "restored"
        touch(mailing)
    note(session, JOB, "held", mailing, after={"why": "restored"})
