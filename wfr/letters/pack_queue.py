"""Large packs of blank letters: ordered, printed by a worker part by part, fetched, and gone within the hour."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta

import structlog
from flask_babel import force_locale
from sqlalchemy import delete, func, or_, select, update

from wfr.errors import NoSuchThing, NotPossibleNow
from wfr.extensions import AnySession, db, transaction, utc_now
from wfr.jobs import ring
from wfr.letters.models import Pack, PackPart, PackState
from wfr.letters.packing import PackOrder, check_order, packable, print_pack
from wfr.letters.printing import Render
from wfr.paper import PaperError
from wfr.press import Busy

KEPT = timedelta(minutes=55)
"""How long a pack exists, from its order; the sweep that deletes it comes every minute."""

LEASE = timedelta(seconds=150)
"""How long a worker that says nothing is believed to be printing: longer than the press gives a document."""

TRIES_AT_MOST = 3
JOB = "print_packs"

log = structlog.get_logger(__name__)


def order_pack(order: PackOrder) -> str:
    """Have a worker print blank letters; return the private id under which they will be found.

    Raises `Refused` and what `packable` raises.
    """
    check_order(order)
    for portion in order.portions:
        packable(portion.case)
    now = utc_now()
    pack = Pack(
        id=secrets.token_urlsafe(18),
        asked=order.as_json(),
        total=len(order.parts),
        made_at=now,
        expires_at=now + KEPT,
    )
    with transaction() as session:
        session.add(pack)
    ring(JOB)
    return pack.id


def find_pack(identity: str) -> Pack:
    """Return a pack; raises `NoSuchThing` once its hour is over."""
    pack = db.session.get(Pack, identity, populate_existing=True)
    if pack is None or pack.expires_at <= utc_now():
        raise NoSuchThing("pack")
    return pack


def drop_closed_pack(identity: str) -> None:
    """Delete a pack of which a case can no longer be written for, and then raise `NotPossibleNow`; else do nothing.

    Raises `NoSuchThing` where there is no such pack.
    """
    order = PackOrder.of_json(find_pack(identity).asked)
    try:
        for portion in order.portions:
            packable(portion.case)
    except (NotPossibleNow, NoSuchThing) as problem:
        with transaction() as session:
            session.execute(delete(PackPart).where(PackPart.pack_id == identity))
            session.execute(delete(Pack).where(Pack.id == identity))
        raise problem if isinstance(problem, NotPossibleNow) else NotPossibleNow("withdrawn") from problem


def files_of(pack: Pack) -> Iterator[tuple[str, bytes]]:
    """Yield the finished files of a pack, name and content, one at a time from the database."""
    for position, part in enumerate(PackOrder.of_json(pack.asked).parts):
        data = db.session.scalar(
            select(PackPart.data).where(PackPart.pack_id == pack.id, PackPart.position == position)
        )
        if data is None:
            raise NoSuchThing("pack part")
        yield part.filename, data


def print_packs(render: Render) -> None:
    """Print the oldest pack that waits and that no other worker holds, and ring for the next."""
    identity = claim_pack()
    if identity and _print_one(identity, render):
        # A job of its own: what a template looks up in one language lasts as long as its job.
        ring(JOB)


def _print_one(identity: str, render: Render) -> bool:
    """Print what is missing of a pack; say whether the press had time for it."""
    pack = db.session.get_one(Pack, identity, populate_existing=True)
    order, done = PackOrder.of_json(pack.asked), pack.done
    db.session.rollback()
    try:
        with force_locale(order.language.replace("-", "_")):
            for position, data in enumerate(print_pack(order, render=render, skip=done), done):
                if not record_part(identity, position, data):
                    break
    except Busy:
        release_pack(identity)
        return False
    except (PaperError, NotPossibleNow, NoSuchThing) as problem:
        log.error("pack_not_printed", why=type(problem).__name__, paper=order.paper, letters=order.total)
        fail_pack(identity)
    return True


def claim_pack() -> str | None:
    """Take the oldest pack that waits and is held by nobody; return its id, or None where there is none.

    One that was taken `TRIES_AT_MOST` times without an end is given up.
    """
    now = utc_now()
    free = (Pack.state == PackState.WAITING, or_(Pack.leased_until.is_(None), Pack.leased_until < now))
    with transaction() as session:
        session.execute(update(Pack).where(*free, Pack.tries >= TRIES_AT_MOST).values(state=PackState.FAILED))
        oldest = select(Pack.id).where(*free, Pack.expires_at > now).order_by(Pack.made_at, Pack.id).limit(1)
        return session.scalar(
            update(Pack)
            .where(Pack.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
            .values(leased_until=now + LEASE, tries=Pack.tries + 1)
            .returning(Pack.id)
        )


def record_part(identity: str, position: int, data: bytes) -> bool:
    """Keep one finished file, note how far its pack has come and renew the lease; say whether there is more to do.

    A part that another worker has finished meanwhile stays as it is.
    """
    with transaction() as session:
        pack = session.scalar(select(Pack).where(Pack.id == identity).with_for_update())
        if pack is None or pack.state != PackState.WAITING:
            return False
        if session.get(PackPart, (identity, position)) is None:
            session.add(PackPart(pack_id=identity, position=position, data=data))
            session.flush()
        pack.done = _parts_done(session, identity)
        pack.tries, pack.leased_until = 0, utc_now() + LEASE
        if pack.done == pack.total:
            pack.state = PackState.READY
        return pack.state == PackState.WAITING


def _parts_done(session: AnySession, identity: str) -> int:
    return session.scalar(select(func.count()).where(PackPart.pack_id == identity)) or 0


def release_pack(identity: str) -> None:
    """Let go of a pack for which the press had no time: the next sweep takes it up."""
    with transaction() as session:
        session.execute(update(Pack).where(Pack.id == identity).values(leased_until=None, tries=Pack.tries - 1))


def fail_pack(identity: str) -> None:
    """Give up a pack; its page says what to do."""
    with transaction() as session:
        session.execute(update(Pack).where(Pack.id == identity).values(state=PackState.FAILED))


def sweep_packs() -> None:
    """Delete packs whose hour is over."""
    over = utc_now()
    with transaction() as session:
        expired = select(Pack.id).where(Pack.expires_at <= over)
        session.execute(delete(PackPart).where(PackPart.pack_id.in_(expired)))
        session.execute(delete(Pack).where(Pack.expires_at <= over))
