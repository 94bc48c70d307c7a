"""Claims: which worker has which deliveries in its hands, and what becomes of them when it dies."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, DateTime, Update, case, delete, func, insert, or_, select, update

from wfr.errors import DatabaseAway
from wfr.extensions import AnySession, db, in_app, transaction, utc_now
from wfr.network.messages import Reader
from wfr.network.models import Delivery, DeliveryState, Mailing, MailingState, MailingWorker, Member, Sort

BATCH = 100
SAYS_SO_SECONDS = 3.0
SILENT_FOR = timedelta(seconds=15)
"""A worker that has not said for so long that it is alive is dead."""
HELD = (DeliveryState.CLAIMED, DeliveryState.SENDING)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery in a worker's hands: how often it was tried, in which language it is, and for whom."""

    id: int
    tries: int
    language: str
    reader: Reader

    @property
    def domain(self) -> str:
        """The host that her mail goes to."""
        return self.reader.email.rpartition("@")[2].lower()


class Worker:
    """A worker that has signed on under a name of its own; a thread says that it is alive until it signs off."""

    def __init__(self) -> None:
        self.claim = secrets.token_hex(8)
        self.alive = _say_alive(self.claim)
        """How many workers are sending, this one among them, as last heard."""
        self._over = threading.Event()
        self._teller = threading.Thread(target=in_app(self._tell), name="mailing", daemon=True)
        self._teller.start()

    def sign_off(self) -> None:
        """Be no worker any more; raises `DatabaseAway`."""
        self._over.set()
        self._teller.join()
        with transaction() as session:
            session.execute(delete(MailingWorker).where(MailingWorker.claim == self.claim))

    def _tell(self) -> None:
        while not self._over.wait(SAYS_SO_SECONDS):
            try:
                self.alive = _say_alive(self.claim)
            except DatabaseAway:
                log.warning("mailing_worker_not_heard")


def claim_batch(claim: str, mailing_id: int, after: int) -> list[Taken]:
    """Take up to `BATCH` deliveries of a mailing that are due, those with ids above `after`, in the order of ids.

    What has nobody to go to is skipped.
    """
    with transaction() as session:
        taken = sorted(session.execute(_claiming(claim, mailing_id, after)).all())
        if not taken:
            return []
        salt = session.scalars(select(Mailing.salt).where(Mailing.id == mailing_id)).one()
        readers = _readers(session, salt, [(each.id, each.member_id) for each in taken])
        gone = [each.id for each in taken if each.id not in readers]
        if gone:
            session.execute(
                _change(Delivery.id.in_(gone), state=DeliveryState.SKIPPED, claim=None, settled_at=utc_now())
            )
    found = [Taken(each.id, each.tries, each.language, readers[each.id]) for each in taken if each.id in readers]
    return found or claim_batch(claim, mailing_id, taken[-1].id)


def running_mailings() -> list[int]:
    """Return the mailings that are being sent, what hurries most first: Urgent Actions, then what came of them."""
    hurry = case({sort.value: place for place, sort in enumerate(Sort)}, value=Mailing.sort, else_=len(Sort))
    found = select(Mailing.id).where(Mailing.state == MailingState.RUNNING).order_by(hurry, Mailing.id)
    return list(db.session.scalars(found))


def something_waits() -> bool:
    """Say whether a mailing that runs has something due, or something in the hands of a worker that is dead."""
    found = select(Delivery.id).where(
        Delivery.settled_at.is_(None),
        Delivery.mailing_id.in_(running_mailings()),
        or_(_is_due(), Delivery.state.in_(HELD) & Delivery.claim.not_in(_alive())),
    )
    return db.session.scalar(found.limit(1)) is not None


def take_over() -> int:
    """Let what dead workers had in their hands wait again, and return how much that was."""
    dead = select(MailingWorker.claim).where(MailingWorker.seen_at <= _clock(SILENT_FOR))
    if db.session.scalar(dead.limit(1)) is None:
        return 0
    with transaction() as session:
        gone = session.scalars(dead.with_for_update(skip_locked=True)).all()
        session.execute(delete(MailingWorker).where(MailingWorker.claim.in_(gone)))
    return free_orphans()


def free_orphans() -> int:
    """Let every delivery wait again that is in the hands of no worker that is alive, and return how many there were.

    This looks at everything that is not settled.
    """
    orphaned = (Delivery.settled_at.is_(None), Delivery.state.in_(HELD), Delivery.claim.not_in(_alive()))
    if db.session.scalar(select(Delivery.id).where(*orphaned).limit(1)) is None:
        return 0
    with transaction() as session:
        found = _rows(session, _change(*orphaned, state=DeliveryState.WAITING, claim=None))
    log.warning("mailing_claims_taken_over", deliveries=found)
    return found


def give_back(claim: str, deliveries: Iterable[int]) -> int:
    """Let those of these deliveries wait again that a worker has claimed and not begun; return how many."""
    mine = (Delivery.id.in_(list(deliveries)), Delivery.claim == claim, Delivery.state == DeliveryState.CLAIMED)
    with transaction() as session:
        return _rows(session, _change(*mine, state=DeliveryState.WAITING, claim=None))


def settle(session: AnySession, claim: str, delivery_id: int, **values: Any) -> bool:
    """Change a delivery that a worker has in its hands, inside the caller's transaction, and let go of it.

    Returns False where it is not this worker's any more: then nothing is changed.
    """
    mine = (Delivery.id == delivery_id, Delivery.claim == claim, Delivery.state.in_(HELD))
    return _rows(session, _change(*mine, claim=None, **values)) == 1


def let_go(session: AnySession, claim: str, delivery_id: int) -> None:
    """Skip a delivery in a worker's hands whose reader is gone, and let it wait where she is not.

    Inside the caller's transaction.
    """
    there = select(Member.id).where(Member.id == Delivery.member_id, Member.left_at.is_(None)).exists()
    mine = (Delivery.id == delivery_id, Delivery.claim == claim, Delivery.state == DeliveryState.CLAIMED)
    session.execute(_change(*mine, ~there, state=DeliveryState.SKIPPED, claim=None, settled_at=utc_now()))
    session.execute(_change(*mine, state=DeliveryState.WAITING, claim=None))


def in_flight(session: AnySession, member_id: int) -> bool:
    """Say whether a message to a member is being handed over in this moment, by a worker that is alive."""
    found = select(Delivery.id).where(
        Delivery.member_id == member_id, Delivery.state == DeliveryState.SENDING, Delivery.claim.in_(_alive())
    )
    return session.scalar(found.limit(1)) is not None


def finish_mailings() -> int:
    """Call every mailing done of which nothing is left to send, and return how many those were."""
    left = select(Delivery.id).where(Delivery.mailing_id == Mailing.id, Delivery.settled_at.is_(None)).exists()
    over = select(Mailing.id).where(Mailing.state == MailingState.RUNNING, ~left)
    if db.session.scalar(over.limit(1)) is None:
        return 0
    with transaction() as session:
        return _rows(
            session,
            update(Mailing)
            .where(Mailing.id.in_(over), Mailing.state == MailingState.RUNNING)
            .values(state=MailingState.DONE, finished_at=utc_now())
            .execution_options(synchronize_session=False),
        )


def _say_alive(claim: str) -> int:
    """Write down that a worker is alive, and return how many are."""
    with transaction() as session:
        seen = update(MailingWorker).where(MailingWorker.claim == claim).values(seen_at=_clock())
        if not _rows(session, seen.execution_options(synchronize_session=False)):
            session.execute(insert(MailingWorker).values(claim=claim, seen_at=_clock()))
        return session.scalar(select(func.count()).select_from(_alive().subquery())) or 1


def _alive() -> Any:
    return select(MailingWorker.claim).where(MailingWorker.seen_at > _clock(SILENT_FOR))


def _clock(ago: timedelta = timedelta(0)) -> Any:
    """Return the moment so long `ago`, by the clock that all workers share however many machines they are on."""
    if db.engine.dialect.name == "sqlite":
        return utc_now() - ago
    return func.timezone("UTC", func.clock_timestamp(), type_=DateTime()) - ago


def _is_due() -> ColumnElement[bool]:
    rested = or_(Delivery.next_try_at.is_(None), Delivery.next_try_at <= utc_now())
    return (Delivery.state == DeliveryState.WAITING) & rested


def _claiming(claim: str, mailing_id: int, after: int) -> Any:
    some = (
        select(Delivery.id)
        .where(Delivery.settled_at.is_(None), Delivery.mailing_id == mailing_id, Delivery.id > after, _is_due())
        .order_by(Delivery.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .cte("some")
    )
    taking = _change(Delivery.id.in_(select(some.c.id)), state=DeliveryState.CLAIMED, claim=claim)
    return taking.returning(Delivery.id, Delivery.member_id, Delivery.tries, Delivery.language)


def _readers(session: AnySession, salt: int, taken: Iterable[tuple[int, int | None]]) -> dict[int, Reader]:
    """Return who reads each of these deliveries, for those that still have a reader."""
    members = {member_id: delivery_id for delivery_id, member_id in taken if member_id is not None}
    rows = session.execute(
        select(Member.id, Member.number, Member.links, Member.email).where(
            Member.id.in_(members), Member.left_at.is_(None)
        )
    )
    return {
        members[row.id]: Reader(salt, members[row.id], number=row.number, links=row.links, email=row.email)
        for row in rows
    }


def _change(*which: ColumnElement[bool], **values: Any) -> Update:
    return update(Delivery).where(*which).values(**values).execution_options(synchronize_session=False)


def _rows(session: AnySession, statement: Any) -> int:
    """Run an update and return how many rows it changed."""
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]  # An update's result has one.
