"""The door of a class: which codes are let in, and how much one code may bring in a short time.

A school has one address for three hundred pupils, so pledges, previews and prints are limited by the code. Wrong codes
are limited by the address, so that no code can be guessed; a code that this address used today is let in whatever
others typed wrong.
"""

from __future__ import annotations

from typing import Literal

from limits import parse

from wfr.drives.codes import clean_code
from wfr.drives.joining import Barrier, NotJoined, barrier_of, drive_of_code
from wfr.drives.models import Drive
from wfr.errors import DomainError, NoSuchThing
from wfr.extensions import address_key, db, limiter, settings

ONCE_A_DAY = parse("1 per day")

Use = Literal["pledge", "preview", "print"]


class TooManyCodes(DomainError):
    """Too many wrong codes came from this address; a code that it has not used today must wait."""


def enter(typed: str) -> Drive:
    """Return the drive that pupils can write for with this code, however it was typed.

    Raises `NoSuchThing` for a code that was never given, `TooManyCodes`, `NotJoined` with what is in the way.
    """
    drive, replaced = _known(typed)
    barrier = Barrier.REPLACED if replaced else barrier_of(drive)
    if barrier is None and drive.joined >= drive.limit:
        barrier = Barrier.LIMIT
    if barrier:
        raise NotJoined(barrier)
    return drive


def drive_at(typed: str) -> Drive:
    """Return the drive of a code whether or not it lets anybody write now: what is written already can be printed.

    Raises `NoSuchThing`, `TooManyCodes`.
    """
    return _known(typed)[0]


def allows(code: str, use: Use) -> bool:
    """Say whether a code may be used once more for this now, and note that it was."""
    limit = parse(settings().limit_join_previews if use == "preview" else settings().limit_joins)
    return not settings().ratelimit_enabled or limiter.limiter.hit(limit, "join", use, clean_code(code))


def _known(typed: str) -> tuple[Drive, bool]:
    wrong = parse(settings().limit_wrong_codes)
    try:
        code = clean_code(typed)
        new_here = limiter.limiter.test(ONCE_A_DAY, "code", code, address_key())
        if new_here and settings().ratelimit_enabled and not limiter.limiter.test(wrong, "wrong code", address_key()):
            raise TooManyCodes
        found = drive_of_code(db.session, code)
    except NoSuchThing:
        limiter.limiter.hit(wrong, "wrong code", address_key())
        raise
    limiter.limiter.hit(ONCE_A_DAY, "code", code, address_key())
    return found
