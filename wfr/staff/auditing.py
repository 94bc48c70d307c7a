"""The audit trail: append-only, each row sealed together with the one before it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from wfr.extensions import AnySession, settings, transaction, utc_now
from wfr.staff.models import Actor, AuditEntry, AuditHead

# Two first entries at once: the second insert waits and does nothing.
AUDIT_HEAD = {
    "postgresql": postgresql_insert(AuditHead).on_conflict_do_nothing(),
    "sqlite": sqlite_insert(AuditHead).on_conflict_do_nothing(),
}

Values = dict[str, Any]
"""What a thing was before or after: plain values of JSON, personal ones as `digest` gives them."""


def digest(value: str) -> str:
    """Return a keyed digest of a personal value: the same value gives the same digest, and nothing gives it back."""
    return hmac.new(settings().key("audit-digests"), value.encode(), hashlib.sha256).hexdigest()[:32]


def record(
    session: AnySession,
    by: Actor,
    what: str,
    thing: str,
    *,
    before: Values | None = None,
    after: Values | None = None,
) -> AuditEntry:
    """Add an entry, inside the caller's transaction and so true if and only if what it tells of happened.

    `what` is a verb in the past with its subject, such as ``case.published``; `thing` a table's word and an id, such as
    ``case:12``. Entries are written one at a time: whoever comes second waits for the first one's commit.
    """
    head = _head(session)
    entry = AuditEntry(
        number=head.number + 1,
        at=utc_now(),
        account_id=by.account_id,
        via=by.via,
        what=what,
        thing=thing,
        before=before or {},
        after=after or {},
    )
    key = settings().key("audit")
    entry.seal = _seal(key, entry, head.seal)
    session.add(entry)
    head.number, head.seal = entry.number, entry.seal
    head.head_seal = _head_seal(key, head)
    session.flush()
    return entry


def _head(session: AnySession) -> AuditHead:
    """Return the head, locked until the caller's transaction ends; the first entry ever makes it."""
    locked = select(AuditHead).where(AuditHead.id == 1).with_for_update().execution_options(populate_existing=True)
    head = session.scalar(locked)
    if head is None:
        connection = session.connection()
        first = AUDIT_HEAD[connection.dialect.name]
        connection.execute(first, {"id": 1, "number": 0, "seal": "", "head_seal": ""})
        head = session.scalars(locked).one()
    return head


def record_refusal(by: Actor, what: str, thing: str, after: Values | None = None) -> None:
    """Record that something was refused, in a transaction of its own, as the refused one is rolled back."""
    with transaction() as session:
        record(session, by, what, thing, after=after)


def find_breaks(session: AnySession) -> Iterator[str]:
    """Walk the whole trail and yield a sentence for each row that was changed, is missing or was added."""
    keys = settings().keys("audit")
    session.rollback()
    head = session.get(AuditHead, 1, populate_existing=True)
    expected, seal = 1, ""
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.number).execution_options(yield_per=500)):
        if entry.number != expected:
            yield _missing(expected, entry.number - 1)
        elif not any(hmac.compare_digest(entry.seal, _seal(key, entry, seal)) for key in keys):
            yield f"entry {entry.number} was changed"
        expected, seal = entry.number + 1, entry.seal
    yield from _head_breaks(keys, head, expected, seal)


def _head_breaks(keys: list[bytes], head: AuditHead | None, expected: int, seal: str) -> Iterator[str]:
    if head is None:
        if expected > 1:
            yield "the trail's head is missing"
        return
    if not any(hmac.compare_digest(head.head_seal, _head_seal(key, head)) for key in keys):
        yield "the trail's head was changed"
    if head.number >= expected:
        yield _missing(expected, head.number)
    elif head.seal != seal:
        yield "the last entry is not the one that was written last"


def _missing(first: int, last: int) -> str:
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"


def _seal(key: bytes, entry: AuditEntry, previous: str) -> str:
    told = [
        previous,
        entry.number,
        entry.at.isoformat(timespec="microseconds"),
        entry.account_id,
        entry.via,
        entry.what,
        entry.thing,
        entry.before,
        entry.after,
    ]
    message = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _head_seal(key: bytes, head: AuditHead) -> str:
    return hmac.new(key, f"head {head.number} {head.seal}".encode(), hashlib.sha256).hexdigest()
