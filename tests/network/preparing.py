"""Mailings at the desk, for tests: an Urgent Action that was issued, members, people, mailings in every state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from tests.network.mailings import make_issue, make_urgent_case, say_in
from tests.staffing import make_account
from wfr.cases.models import Case, CaseStatus
from wfr.extensions import db, transaction, utc_now
from wfr.network.models import (
    Delivery,
    DeliveryState,
    Follow,
    Mailing,
    MailingWords,
    Member,
    Sort,
)
from wfr.network.preparing import approve_mailing, begin_mailing
from wfr.network.starting import start_due_mailings
from wfr.staff.models import Actor, Role


def make_members(count: int, *, follow: int | None = None, prefix: str = "member", **changes: Any) -> list[Member]:
    """Store confirmed members; they follow the case with the id `follow`."""
    found = [Member(email=f"{prefix}{each}@example.org", confirmed_at=utc_now(), **changes) for each in range(count)]
    db.session.add_all(found)
    db.session.flush()
    if follow is not None:
        db.session.add_all(Follow(member_id=member.id, case_id=follow) for member in found)
    db.session.commit()
    return found


class Desk:
    """Wanda writes, Rita and Rosa review; Ada's Urgent Action was written by Wanda. Needs an app context."""

    def __init__(self) -> None:
        self.wanda = Actor(make_account("wanda", Role.WRITER).id)
        self.rita = Actor(make_account("rita", Role.REVIEWER).id)
        self.rosa = Actor(make_account("rosa", Role.REVIEWER).id)
        self.case = make_urgent_case()
        say_in(self.case, "fr", "Détenue pour un poème", "Elle a écrit un poème.")
        db.session.commit()
        self.case_id = self.case.id

    def urgent(self, ordinal: int = 1) -> Mailing:
        """Begin the mailing of an issue that Wanda changed last and Rita issued."""
        with transaction() as session:
            issue = make_issue(session.get_one(Case, self.case_id), ordinal=ordinal)
            issue.changed_by = self.wanda.account_id
            return begin_mailing(session, by=self.rita, sort=Sort.URGENT, issue=issue)

    def approve(self, mailing: Mailing, **when: Any) -> int:
        """Have Rosa approve a mailing; return its id."""
        approve_mailing(by=self.rosa, mailing_id=mailing.id, revision=mailing.revision, **when)
        return mailing.id

    def running(self, members: int = 3) -> int:
        """Return the id of a mailing that has just begun."""
        make_members(members)
        mailing_id = self.approve(self.urgent())
        assert start_due_mailings() == 1
        return mailing_id

    def withdraw(self) -> None:
        """Set the case's status as withdrawing does."""
        with transaction() as session:
            session.get_one(Case, self.case_id).status = CaseStatus.WITHDRAWN


def read(mailing_id: int) -> Mailing:
    """Return a mailing as the database has it now."""
    return db.session.get_one(Mailing, mailing_id, populate_existing=True)


def say(mailing_id: int, language: str = "en") -> MailingWords | None:
    """Return what a mailing says in a language, as the database has it now."""
    return db.session.get(MailingWords, (mailing_id, language), populate_existing=True)


def count_deliveries(mailing_id: int, *states: DeliveryState) -> int:
    """Return how many deliveries a mailing has, in these states or all."""
    mine = select(func.count()).where(Delivery.mailing_id == mailing_id)
    return db.session.scalar(mine.where(Delivery.state.in_(states)) if states else mine) or 0


def settle(mailing_id: int, count: int, state: DeliveryState, *, code: int = 250, seconds: float = 0) -> None:
    """Settle so many of a mailing's waiting deliveries, `seconds` after it began."""
    with transaction() as session:
        waiting = select(Delivery).where(Delivery.mailing_id == mailing_id, Delivery.state == DeliveryState.WAITING)
        began = session.get_one(Mailing, mailing_id).started_at
        for delivery in session.scalars(waiting.order_by(Delivery.id).limit(count)):
            delivery.state, delivery.code = state, code
            delivery.settled_at = (began or utc_now()) + timedelta(seconds=seconds)
