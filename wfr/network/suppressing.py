"""The suppression list: addresses that nothing is sent to, as keyed digests, with a key that never changes."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from wfr.extensions import AnySession, settings, utc_now
from wfr.network.models import SuppressedFor, Suppression


def digest_of(email: str) -> str:
    """Return the keyed digest of an address, which stands for it on the suppression list."""
    return hashlib.blake2b(email.strip().lower().encode(), key=settings().suppression_key, digest_size=32).hexdigest()


def suppress(session: AnySession, email: str, why: SuppressedFor) -> None:
    """Put an address on the list, inside the caller's transaction; one that bounced stays one that bounced."""
    digest = digest_of(email)
    there = session.get(Suppression, digest)
    if there is None:
        session.add(Suppression(digest=digest, why=why, since=utc_now().date()))
    elif why is SuppressedFor.BOUNCED:
        there.why = why


def suppressed_for(session: AnySession, email: str) -> SuppressedFor | None:
    """Say why nothing is sent to an address, or None where it is not on the list."""
    why = session.scalar(select(Suppression.why).where(Suppression.digest == digest_of(email)))
    return SuppressedFor(why) if why else None


def release(session: AnySession, email: str) -> None:
    """Take an address off the list, inside the caller's transaction: its owner has asked to be written to again."""
    there = session.get(Suppression, digest_of(email))
    if there is not None:
        session.delete(there)
