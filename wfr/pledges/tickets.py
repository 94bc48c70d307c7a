"""Tickets: a signed, random id with its time, which becomes the pledge's key and makes an action count once.

The id is a version 7 UUID (RFC 9562): 48 bits of milliseconds, then 74 random bits, so that new rows fall beside each
other in the index. The signature keeps anybody from choosing an id.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from itsdangerous import BadSignature, Signer

MILLISECONDS = 1000
CLOCK_SKEW_SECONDS = 60


class BadTicket(Exception):
    """This is not a ticket of ours: forged, cut short, or signed with a key no longer listed."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket that was ours when it was read. `text` is its signed form, as it stands in forms and addresses."""

    id: UUID
    text: str

    @property
    def age_seconds(self) -> float:
        """Seconds since it was made; meaningless for one that was `derived`."""
        return time.time() - (self.id.int >> 80) / MILLISECONDS


class TicketOffice:
    """Makes and reads tickets. The first key signs, all of them are accepted."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._signer = Signer(list(reversed(keys)), salt=b"ticket", digest_method=hashlib.sha256)

    def issue(self) -> Ticket:
        """Return a new ticket."""
        milliseconds = time.time_ns() // 1_000_000
        bits = (milliseconds << 80) | secrets.randbits(80)
        bits = bits & ~(0xF << 76) | (0x7 << 76)
        bits = bits & ~(0x3 << 62) | (0x2 << 62)
        return self._sign(UUID(int=bits))

    def derived(self, ticket: Ticket, name: str) -> Ticket:
        """Return the ticket for `name` (a case's slug) that always comes of `ticket`: one form, several pledges."""
        return self._sign(uuid5(ticket.id, name))

    def read(self, text: str) -> Ticket:
        """Return the ticket that `text` is; raises `BadTicket`. How old it may be is for the caller to say."""
        try:
            raw = self._signer.unsign(text)
            return Ticket(UUID(bytes=base64.urlsafe_b64decode(raw + b"==")), text)
        except (BadSignature, ValueError) as problem:
            raise BadTicket("not a ticket of ours") from problem

    def _sign(self, key: UUID) -> Ticket:
        return Ticket(key, self._signer.sign(base64.urlsafe_b64encode(key.bytes).rstrip(b"=")).decode())
