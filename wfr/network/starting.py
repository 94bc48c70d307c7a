"""Mailings whose hour has come: each gets its deliveries in the transaction that starts it."""

from __future__ import annotations

import structlog
from sqlalchemy import insert, literal, or_, select

from wfr.cases.queries import today
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.network.audience import recipients
from wfr.network.models import Delivery, DeliveryState, Mailing, MailingState, new_salt
from wfr.network.stopping import obstacle, stop
from wfr.staff.auditing import record
from wfr.staff.models import JOB

log = structlog.get_logger(__name__)


def start_due_mailings() -> int:
    """Start every approved mailing whose hour has come, and return how many are running now that were not.

    One whose cases may not be told of any more is stopped instead.
    """
    due = db.session.scalars(
        select(Mailing.id)
        .where(Mailing.state == MailingState.APPROVED, or_(Mailing.start_at.is_(None), Mailing.start_at <= utc_now()))
        .order_by(Mailing.id)
    ).all()
    db.session.rollback()
    return sum(_start(mailing_id) for mailing_id in due)


def _start(mailing_id: int) -> bool:
    with transaction() as session:
        _take_turn(session)
        mailing = session.get(Mailing, mailing_id, with_for_update=True, populate_existing=True)
        if mailing is None or not _is_due(mailing):
            return False
        why = obstacle(session, mailing, today())
        if why is not None:
            stop(session, mailing, why)
            return False
        made = _make_deliveries(session, mailing)
        mailing.state, mailing.why, mailing.started_at = MailingState.RUNNING, None, utc_now()
        mailing.salt = new_salt()
        record(session, JOB, "mailing.started", f"mailing:{mailing.id}", after={"deliveries": made})
    log.info("mailing_started", mailing=mailing_id, deliveries=made)
    return True


def _take_turn(session: AnySession) -> None:
    """Have mailings start one after the other: each counts what those before it send to who wants only so many."""
    approved = select(Mailing.id).where(Mailing.state == MailingState.APPROVED).order_by(Mailing.id)
    session.execute(approved.with_for_update()).all()


def _is_due(mailing: Mailing) -> bool:
    return mailing.state == MailingState.APPROVED and (mailing.start_at is None or mailing.start_at <= utc_now())


def _make_deliveries(session: AnySession, mailing: Mailing) -> int:
    """Add a delivery for each member whom a mailing is for, and return how many."""
    found = recipients(session, mailing).subquery()
    member_id, language = found.c
    columns = ["mailing_id", "member_id", "language", "state", "tries"]
    rows = select(literal(mailing.id), member_id, language, literal(DeliveryState.WAITING.value), literal(0)).order_by(
        member_id
    )
    adding = insert(Delivery).from_select(columns, rows, include_defaults=False)
    done = session.execute(adding.execution_options(preserve_rowcount=True))
    return int(done.rowcount)  # type: ignore[attr-defined]  # An insert's result has one.
