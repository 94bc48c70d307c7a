"""What keeps a mailing from leaving: its cases, asked before it starts, each minute and before each message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select, update

from wfr.cases.models import Case, CaseStatus
from wfr.cases.queries import today
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.network.audience import case_of
from wfr.network.models import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingCase,
    MailingState,
    Sort,
    UrgentIssue,
)
from wfr.staff.auditing import record
from wfr.staff.models import JOB

UNDER_WAY = (MailingState.APPROVED, MailingState.RUNNING, MailingState.PAUSED)
"""The states in which a mailing may still send something, now or later."""
PREPARED = (MailingState.DRAFT, MailingState.IN_REVIEW)
"""The states before: of a withdrawn case nothing is prepared any more, whatever else may still be mended."""
AT_ONCE = 5000
"""How many deliveries are skipped in one transaction: each holds up whoever else writes."""
HALTS = "paused"
"""The word for a case that is being checked: its mailing waits for a person; every other word ends it."""


def stop_mailings(session: AnySession, case_id: int, why: str) -> None:
    """Stop whatever still goes out about a case, inside the caller's transaction, except the notice of its outcome.

    That is every mailing about it, and every one that asks readers to act and speaks of it among others. What was not
    sent is skipped by `stop_fallen`, a minute later; no worker sends it meanwhile.
    """
    for mailing in _locked(session, select(Mailing.id).where(Mailing.state.in_(UNDER_WAY))):
        own = case_of(session, mailing) == case_id and mailing.sort != Sort.OUTCOME
        among = mailing.asks and case_id in cases_of(session, mailing)
        if own or (among and case_id not in only_told_of(session, mailing)):
            stop(session, mailing, why)


def stop_fallen() -> int:
    """Stop or pause each mailing whose cases may not be told of any more; return how many there were.

    What a stopped mailing has not sent is skipped then.
    """
    with transaction() as session:
        fallen = 0
        for mailing in _locked(session, select(Mailing.id).where(Mailing.state.in_((*PREPARED, *UNDER_WAY)))):
            why = obstacle(session, mailing, today())
            fallen += why is not None and _fall(session, mailing, why)
    while _skip_stopped():
        pass
    return fallen


def obstacle(session: AnySession, mailing: Mailing, day: date) -> str | None:
    """Return the word for what keeps a mailing from leaving on `day` (`Mailing.why`), or None."""
    found = [_in_the_way(case, mailing, day) for case in _read_cases(session, mailing)]
    issue = session.get(UrgentIssue, mailing.issue_id) if mailing.issue_id is not None else None
    if mailing.asks and issue is not None and issue.write_before is not None and issue.write_before < day:
        found.append("expired")
    words = [word for word in found if word]
    # What ends a mailing comes before what only halts it.
    return next((word for word in words if word != HALTS), words[0] if words else None)


def cases_of(session: AnySession, mailing: Mailing) -> list[int]:
    """Return the ids of the cases that a mailing speaks of."""
    told = set(session.scalars(select(MailingCase.case_id).where(MailingCase.mailing_id == mailing.id)))
    return sorted(told | {case_id for case_id in (mailing.case_id, case_of(session, mailing)) if case_id is not None})


def only_told_of(session: AnySession, mailing: Mailing) -> list[int]:
    """Return the ids of those among them that it asks nobody to act for."""
    return sorted(case.id for case in _read_cases(session, mailing) if _only_told(case, mailing))


def stop(session: AnySession, mailing: Mailing, why: str) -> None:
    """End a mailing for good, inside the caller's transaction."""
    mailing.state, mailing.why, mailing.finished_at = MailingState.STOPPED, why, utc_now()
    record(session, JOB, "mailing.stopped", f"mailing:{mailing.id}", after={"why": why})


def _fall(session: AnySession, mailing: Mailing, why: str) -> bool:
    """Do with a mailing what follows from `why`; say whether that changed anything."""
    if mailing.state in PREPARED and why != "withdrawn":
        return False
    if why != HALTS:
        stop(session, mailing, why)
    elif mailing.state == MailingState.RUNNING:
        _pause(session, mailing, why)
    else:
        # One that waits for its hour is asked again then, one that is paused when somebody resumes it.
        return False
    return True


def _pause(session: AnySession, mailing: Mailing, why: str) -> None:
    mailing.state, mailing.why = MailingState.PAUSED, why
    record(session, JOB, "mailing.paused", f"mailing:{mailing.id}", after={"why": why})


def never_told(case: Case, day: date) -> str | None:
    """Return the word for why no mail may tell of a case on `day`, or None where mails may."""
    if case.status == CaseStatus.WITHDRAWN:
        return "withdrawn"
    # What goes by mail has left the site, and cannot be called back.
    if not (case.feeds and case.agreed(day)):
        return "consent"
    return HALTS if case.status in (CaseStatus.PAUSED, CaseStatus.DRAFT) else None


def _in_the_way(case: Case, mailing: Mailing, day: date) -> str | None:
    word = never_told(case, day)
    if word is not None:
        return word
    if not mailing.asks or _only_told(case, mailing):
        return None
    if case.status != CaseStatus.PUBLISHED:
        return "closed"
    return "expired" if case.deadline and case.deadline < day else None


def _only_told(case: Case, mailing: Mailing) -> bool:
    """Say whether nobody is asked to act for a case: another than its own, over before the mailing was begun."""
    closed = case.status == CaseStatus.CLOSED and (case.status_at is None or case.status_at <= mailing.begun_at)
    over = closed or (case.deadline is not None and case.deadline < mailing.begun_at.date())
    return over and case.id != mailing.case_id


def _read_cases(session: AnySession, mailing: Mailing) -> Sequence[Case]:
    which = Case.id.in_(cases_of(session, mailing))
    return session.scalars(select(Case).where(which).execution_options(populate_existing=True)).all()


def _locked(session: AnySession, which: object) -> Sequence[Mailing]:
    """Return these mailings, locked in the order of their ids."""
    found = select(Mailing).where(Mailing.id.in_(which)).order_by(Mailing.id)  # type: ignore[arg-type]
    return session.scalars(found.with_for_update().execution_options(populate_existing=True)).all()


def _skip_stopped() -> int:
    """Skip some of what a stopped mailing has not sent, but for a message that a worker hands over now."""
    stopped = select(Mailing.id).where(Mailing.state == MailingState.STOPPED)
    some = (
        select(Delivery.id)
        .where(
            Delivery.settled_at.is_(None),
            Delivery.state.in_((DeliveryState.WAITING, DeliveryState.CLAIMED)),
            Delivery.mailing_id.in_(stopped),
        )
        .limit(AT_ONCE)
    )
    if db.session.scalar(some.limit(1)) is None:
        db.session.rollback()
        return 0
    with transaction() as session:
        done = session.execute(
            update(Delivery)
            .where(Delivery.id.in_(some), Delivery.settled_at.is_(None), Delivery.state != DeliveryState.SENDING)
            .values(state=DeliveryState.SKIPPED, claim=None, settled_at=utc_now())
            .execution_options(synchronize_session=False)
        )
    return int(done.rowcount)  # type: ignore[attr-defined]  # An update's result has one.
