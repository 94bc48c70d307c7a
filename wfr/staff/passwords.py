"""Passwords: which ones will do, and how they are kept and checked (argon2id)."""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import lazy_gettext as _l

from wfr.errors import DomainError, Refused

SHORTEST = 12
LONGEST = 200
FEWEST_DIFFERENT = 5
COMMON_WORDS_AT_MOST = 2
SHORTEST_PERSONAL = 3
WAIT_SECONDS = 3.0

HASHER = PasswordHasher()
"""The parameters of RFC 9106 for little memory: 64 MiB and some 50 ms each."""

# Each check takes 64 MiB: a flood of them waits here instead of eating the machine's memory.
_ROOM = threading.BoundedSemaphore(2)

_LEET = str.maketrans("0134578@$!|€+", "oieastbasilet")
_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnmqwertyuiop",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1s2d3f4g5h6j7k8l9",
    "z1x2c3v4b5n6m7",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
)


class BadPassword(DomainError):
    """A password that will not do; the words say why."""

    def __init__(self, why: object) -> None:
        super().__init__(str(why))
        self.why = why


class WrongPassword(DomainError):
    """The present password that somebody gave is not theirs."""


class TooBusy(Refused):
    """Too many passwords are being checked at this moment; nothing was checked."""

    def __init__(self) -> None:
        super().__init__(_l("Too many people are signing in at this moment. Try again in a minute."))


def normal(password: str) -> str:
    """Return a password as it is hashed: the same whichever keyboard composed its characters (NFKC)."""
    return unicodedata.normalize("NFKC", password[: LONGEST + 1])


def demand_good(password: str, *, personal: Iterable[str] = ()) -> None:
    """Raise `BadPassword` for one that is too short or long, common, or made of `personal` words such as a name."""
    chosen = normal(password)
    if len(chosen) < SHORTEST:
        raise BadPassword(_l("Take at least %(length)d characters", length=SHORTEST))
    if len(chosen) > LONGEST:
        raise BadPassword(_l("Take at most %(length)d characters", length=LONGEST))
    if _is_common(chosen):
        raise BadPassword(_l("Too many people use this password, or one much like it: take another one"))
    bare = _bare(chosen)
    if any(len(word) >= SHORTEST_PERSONAL and word in bare for word in map(_bare, personal)):
        raise BadPassword(_l("Leave your own name and the site’s name out of your password"))


def hashed(password: str) -> str:
    """Return what is kept of a password. Raises `TooBusy`."""
    with _room():
        return HASHER.hash(normal(password))


def matches(password: str, kept: str | None) -> bool:
    """Say whether this is the password of which `kept` is kept; with None the same work for nothing.

    Raises `TooBusy`.
    """
    with _room():
        try:
            HASHER.verify(kept or _of_nobody(HASHER), normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None


def is_outdated(kept: str) -> bool:
    """Say whether `kept` was made with other parameters than the present ones."""
    return HASHER.check_needs_rehash(kept)


@contextmanager
def _room() -> Iterator[None]:
    if not _ROOM.acquire(timeout=WAIT_SECONDS):
        raise TooBusy
    try:
        yield
    finally:
        _ROOM.release()


@cache
def _of_nobody(hasher: PasswordHasher) -> str:
    return hasher.hash(secrets.token_urlsafe())


def _bare(text: str) -> str:
    """Return only the letters and digits of `text`, without case and with look-alikes as letters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded.translate(_LEET) if character.isalnum())


def _is_common(password: str) -> bool:
    lower = password.casefold()
    plain = "".join(character for character in lower if character.isalnum())
    if len(set(lower)) < FEWEST_DIFFERENT or any(_runs_along(row, plain) for row in _ROWS):
        return True
    ends_off = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", lower)
    return any(_is_of_common_words(_once(_bare(form))) for form in (lower, ends_off))


def _runs_along(row: str, plain: str) -> bool:
    """Say whether the whole password is a walk along a row of keys, to either side, or that walk repeated."""
    part = _once(plain)
    return len(part) >= 3 and (part in row or part[::-1] in row)


def _once(text: str) -> str:
    """Return the shortest part that `text` is a repetition of."""
    length = (text + text).find(text, 1) if text else 0
    return text[:length]


def _is_of_common_words(text: str) -> bool:
    """Say whether `text` is one or two of the common words, with or without something short between or after."""
    fewest = [0, *[COMMON_WORDS_AT_MOST + 1] * len(text)]
    for end in range(1, len(text) + 1):
        for start in range(max(0, end - LONGEST_WORD), end):
            if fewest[start] < COMMON_WORDS_AT_MOST and text[start:end] in _common_words():
                fewest[end] = min(fewest[end], fewest[start] + 1)
    return not text or fewest[-1] <= COMMON_WORDS_AT_MOST


LONGEST_WORD = 30


@cache
def _common_words() -> frozenset[str]:
    lines = resources.files("wfr.staff").joinpath("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
