"""Whom a mailing is for, as one query: the database makes a delivery of each row of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from wfr.cases.models import Case
from wfr.countries import region_of
from wfr.extensions import AnySession, utc_now
from wfr.network.interests import concern_bits, region_bits
from wfr.network.models import (
    Delivery,
    DeliveryState,
    Follow,
    Frequency,
    Mailing,
    MailingState,
    MailingWords,
    Member,
    Sort,
    UrgentAction,
    UrgentIssue,
)

GONE = (DeliveryState.SENT, DeliveryState.SENDING)
"""Of these she has been sent the message, or is being sent it in this moment."""
TO_GO = (DeliveryState.WAITING, DeliveryState.CLAIMED)


def recipients(session: AnySession, mailing: Mailing) -> Select[int, str]:
    """Return the query of whom a mailing would go to if it started now: member and language, a row each.

    The language is the first of hers that the mailing has words in, else English, else the first in the alphabet.
    """
    asked = AUDIENCES[Sort(mailing.sort)](session, mailing)
    return select(Member.id, _language(session, mailing)).where(
        Member.confirmed_at.is_not(None), Member.left_at.is_(None), asked
    )


def count_recipients(session: AnySession, mailing: Mailing) -> int:
    """Return how many members a mailing would go to if it started now."""
    return session.scalar(select(func.count()).select_from(recipients(session, mailing).subquery())) or 0


def case_of(session: AnySession, mailing: Mailing) -> int | None:
    """Return the case that a mailing is about: that of the issue it carries, or its own; None for a digest."""
    action = (
        select(UrgentAction.case_id)
        .join(UrgentIssue, UrgentIssue.action_id == UrgentAction.id)
        .where(UrgentIssue.id == mailing.issue_id)
    )
    return session.scalar(action) if mailing.issue_id is not None else mailing.case_id


def _language(session: AnySession, mailing: Mailing) -> ColumnElement[str]:
    there = sorted(session.scalars(select(MailingWords.language).where(MailingWords.mailing_id == mailing.id)))
    last = "en" if "en" in there or not there else there[0]
    hers = (Member.language, Member.second_language, Member.third_language)
    return case(*((column.in_(there), column) for column in hers), else_=last)


def _urgent(session: AnySession, mailing: Mailing) -> ColumnElement[bool]:
    case_id = case_of(session, mailing)
    told = session.get(Case, case_id) if case_id is not None else None
    concern = session.scalar(select(UrgentAction.concern).where(UrgentAction.case_id == case_id))
    region = region_of(told.country) if told else None
    often = or_(
        Member.frequency == Frequency.EVERY,
        and_(Member.frequency == Frequency.AT_MOST, _sent_this_month(session, mailing) < Member.at_most),
    )
    interested = (
        _asked_for(Member.regions, region_bits([region] if region else [])),
        _asked_for(Member.concerns, concern_bits([concern] if concern else [])),
    )
    return or_(and_(often, *interested), _follows(case_id))


def _asked_for(column: ColumnElement[int] | object, bits: int) -> ColumnElement[bool]:
    asked: ColumnElement[int] = column  # type: ignore[assignment]  # A mapped attribute is one in a query.
    return or_(asked == 0, asked.bitwise_and(bits) != 0)


def _sent_this_month(session: AnySession, mailing: Mailing) -> ColumnElement[int]:
    """Return how many Urgent Actions a member has been sent, or is being sent, since the month began (UTC)."""
    began = utc_now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    others = session.execute(
        select(Mailing.id, Mailing.state).where(
            Mailing.sort == Sort.URGENT, Mailing.started_at >= began, Mailing.id != mailing.id
        )
    ).all()
    # What a stopped mailing has not sent is skipped some time later; it never leaves.
    going_on = [mailing_id for mailing_id, state in others if state != MailingState.STOPPED]
    mine = select(func.count()).where(
        Delivery.member_id == Member.id,
        Delivery.mailing_id.in_([mailing_id for mailing_id, _state in others]),
        or_(Delivery.state.in_(GONE), and_(Delivery.state.in_(TO_GO), Delivery.mailing_id.in_(going_on))),
    )
    return mine.correlate(Member).scalar_subquery()


def _outcome(session: AnySession, mailing: Mailing) -> ColumnElement[bool]:
    earlier, issue = aliased(Mailing), aliased(UrgentIssue)
    action = select(UrgentIssue.action_id).where(UrgentIssue.id == mailing.issue_id).scalar_subquery()
    mailings = session.scalars(
        select(earlier.id).join(issue, issue.id == earlier.issue_id).where(issue.action_id == action)
    ).all()
    were_told = (
        select(Delivery.id)
        .where(
            Delivery.member_id == Member.id,
            Delivery.mailing_id.in_(mailings),
            Delivery.state.in_(GONE),
        )
        .correlate(Member)
        .exists()
    )
    return or_(were_told, _follows(case_of(session, mailing)))


def _news(session: AnySession, mailing: Mailing) -> ColumnElement[bool]:
    return _follows(case_of(session, mailing))


def _weekly(_session: AnySession, _mailing: Mailing) -> ColumnElement[bool]:
    return Member.frequency == Frequency.WEEKLY


def _monthly(_session: AnySession, _mailing: Mailing) -> ColumnElement[bool]:
    wanted: Sequence[Frequency] = (Frequency.EVERY, Frequency.AT_MOST, Frequency.MONTHLY)
    return Member.frequency.in_(wanted)


def _follows(case_id: int | None) -> ColumnElement[bool]:
    return select(Follow.member_id).where(Follow.member_id == Member.id, Follow.case_id == case_id).exists()


AUDIENCES: dict[Sort, Callable[[AnySession, Mailing], ColumnElement[bool]]] = {
    Sort.URGENT: _urgent,
    Sort.OUTCOME: _outcome,
    Sort.NEWS: _news,
    Sort.WEEKLY: _weekly,
    Sort.MONTHLY: _monthly,
}
"""Which of the members who may be written to at all asked for a sort of mailing."""
