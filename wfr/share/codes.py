"""Share codes: which case a share link is for, on which channel, and whose it is, in 10 or 18 letters.

A code is signed and hidden: nobody else can make one, and nobody who sees two can tell that one person shared both.
What hides it is its own signature (as in RFC 5297), so that it is no longer for that. Nothing is stored until somebody
opens its link: a thank-you page can carry a person's own links for every channel without a write. `sharer` is a random
number; a visitor's is tied to nobody, a school's drive and a campaign post know theirs. 0 stands for the links that are
everybody's, on pages that are the same for all.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass

from wfr.errors import NoSuchThing
from wfr.extensions import kept, settings
from wfr.intents import CHANNELS, SHARE_CODE_LENGTH

EVERYBODY = 0

_CASE_BITS, _CHANNEL_BITS, _SHARER_BITS = 20, 4, 36
# Neither i, l, o nor u: what is read aloud or from paper must be typed without guessing.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LETTER_BITS = 5
_SHORT, _LONG = 10, SHARE_CODE_LENGTH
_KEY = "share-links"
KEPT = "keys of share links"


@dataclass(frozen=True, slots=True)
class ShareCode:
    """What a code says: the id of the case, a channel of `wfr.intents.CHANNELS`, and the sharer's number."""

    case_id: int
    channel: str
    sharer: int = EVERYBODY

    @property
    def text(self) -> str:
        """The code as it stands in a link; raises `ValueError` for a number too large to stand in one."""
        return _signed(self._number(), _SHORT if self.sharer == EVERYBODY else _LONG, _keys()[0])

    def _number(self) -> int:
        if not 0 <= self.case_id < 1 << _CASE_BITS or not 0 <= self.sharer < 1 << _SHARER_BITS:
            raise ValueError("a share code has no room for this")
        about = self.case_id << _CHANNEL_BITS | CHANNELS.index(self.channel)
        return about if self.sharer == EVERYBODY else about << _SHARER_BITS | self.sharer


def new_sharer() -> int:
    """Return a random number for somebody's own links."""
    return 1 + secrets.randbelow((1 << _SHARER_BITS) - 1)


def read_code(text: str) -> ShareCode:
    """Return what a code says; raises `NoSuchThing` for one that is not ours, cut short or changed."""
    text = text.lower()
    if len(text) not in (_SHORT, _LONG) or not set(text) <= set(_ALPHABET):
        raise NoSuchThing("share link")
    number = next((found for key in _keys() if (found := _opened(text, key)) is not None), None)
    if number is None:
        raise NoSuchThing("share link")
    about, sharer = (number, EVERYBODY) if len(text) == _SHORT else divmod(number, 1 << _SHARER_BITS)
    case_id, channel = divmod(about, 1 << _CHANNEL_BITS)
    if channel >= len(CHANNELS):
        raise NoSuchThing("share link")
    return ShareCode(case_id, CHANNELS[channel], sharer)


def _keys() -> list[bytes]:
    # Deriving them costs more than signing with them, and a thank-you page signs thirteen codes.
    return kept().get(KEPT, math.inf, lambda: settings().keys(_KEY))


def _mark_bits(letters: int) -> int:
    """Return how many bits of a code are its signature: 26 of a short one, 30 of a long one."""
    sharer = 0 if letters == _SHORT else _SHARER_BITS
    return letters * _LETTER_BITS - _CASE_BITS - _CHANNEL_BITS - sharer


def _signed(number: int, letters: int, key: bytes) -> str:
    mark = _mark(number, letters, key)
    value = (number ^ _mask(mark, letters, key)) << _mark_bits(letters) | mark
    return "".join(_ALPHABET[value >> _LETTER_BITS * place & 31] for place in reversed(range(letters)))


def _opened(text: str, key: bytes) -> int | None:
    """Return the number that was signed with `key`, or None where it was not."""
    value = 0
    for letter in text:
        value = value << _LETTER_BITS | _ALPHABET.index(letter)
    hidden, mark = divmod(value, 1 << _mark_bits(len(text)))
    number = hidden ^ _mask(mark, len(text), key)
    return number if hmac.compare_digest(text, _signed(number, len(text), key)) else None


def _mark(number: int, letters: int, key: bytes) -> int:
    return _first_bits(_mark_bits(letters), key, f"{letters} {number}")


def _mask(mark: int, letters: int, key: bytes) -> int:
    return _first_bits(letters * _LETTER_BITS - _mark_bits(letters), key, f"mask {letters} {mark}")


def _first_bits(bits: int, key: bytes, words: str) -> int:
    return int.from_bytes(hmac.digest(key, words.encode(), hashlib.sha256)[:8]) >> 64 - bits
