"""Where a pledge comes from, as an address and a form carry it: a domain above says what it records of it.

What it records stands in the pledge's own transaction, so that there is never one without the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app

from wfr.errors import NoSuchThing
from wfr.extensions import AnySession
from wfr.pledges.pledging import Promise

_READERS = "wfr.pledge_origins"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a pledge comes from: the words that carry it, and what to record beside a new pledge."""

    text: str
    record: Callable[[AnySession, Promise], None]


def add_origin(app: Flask, read: Callable[[str], Origin]) -> None:
    """Let `read` say what a carried text means; it raises `NoSuchThing` for one that is not its own."""
    app.extensions.setdefault(_READERS, []).append(read)


def read_origin(text: str | None) -> Origin | None:
    """Return where a pledge comes from, or None: a text that nobody knows counts for nothing and harms nothing."""
    for read in current_app.extensions.get(_READERS, []) if text else []:
        try:
            origin: Origin = read(text)
        except NoSuchThing:
            continue
        return origin
    return None
