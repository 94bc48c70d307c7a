"""Share links: their addresses, and what opening one and acting through one records."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from itsdangerous import BadSignature, Signer
from limits import parse
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from wfr.cases.models import Case
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, address_key, kept, limiter, settings, transaction
from wfr.share.codes import EVERYBODY, ShareCode
from wfr.share.models import ShareLink, SharePledge

_INSERTS: dict[str, Any] = {"postgresql": postgresql_insert, "sqlite": sqlite_insert}
_KEY = ("case_id", "channel", "sharer")
_pepper = secrets.token_bytes(32)

log = structlog.get_logger(__name__)


def link_url(case: Case, channel: str, sharer: int = EVERYBODY) -> str:
    """Return the whole address of a case's share link on one channel of `wfr.intents.CHANNELS`."""
    return f"{settings().base_url}/s/{ShareCode(case.id, channel, sharer).text}"


def private_token(case: Case, sharer: int) -> str:
    """Return the last part of a sharer's private link, which says what came of the links for one case."""
    return _signer().sign(f"{case.id}.{sharer}").decode()


def read_private_token(token: str) -> tuple[int, int]:
    """Return a case's id and a sharer's number; raises `NoSuchThing` for a token that is not ours."""
    try:
        case_id, _, sharer = _signer().unsign(token).decode().partition(".")
    except (BadSignature, UnicodeDecodeError):
        raise NoSuchThing("private share link") from None
    return int(case_id), int(sharer)


def may_count(code: ShareCode, *, preview: bool) -> bool:
    """Say whether one more opening of a link from the present address counts.

    One address counts for `limit_visits` of a link and no more, so that nobody can make openings up by reloading. While
    the limits' own store is away nothing is counted: the link opens all the same.
    """
    if not settings().ratelimit_enabled:
        return True
    # Which address opened which link is nobody's to keep: not even the limits can be read for it.
    who = hmac.digest(_pepper, f"{code.text} {address_key()}".encode(), hashlib.sha256).hex()[:32]
    try:
        return bool(limiter.limiter.hit(parse(settings().limit_visits), "preview" if preview else "visit", who))
    except Exception as problem:
        log.warning("opening_not_counted", error=type(problem).__name__)
        return False


def record_openings(seen: Mapping[tuple[ShareCode, bool], int]) -> None:
    """Add openings to the links' numbers: how many of each code, by previews (True) and by people.

    Raises `DatabaseAway`.
    """
    with transaction() as session:
        added = _INSERTS[session.get_bind().dialect.name](ShareLink)
        # Always in the same order: two processes that write at once must not wait for each other.
        for (code, preview), number in sorted(seen.items(), key=lambda each: (each[0][0].text, each[0][1])):
            column = ShareLink.previews if preview else ShareLink.visits
            row = added.values(**_values(code), **{column.key: number})
            session.execute(row.on_conflict_do_update(index_elements=_KEY, set_={column.key: column + number}))


def record_share_pledge(session: AnySession, code: ShareCode, pledge_id: UUID) -> None:
    """Record that a new pledge came of a share link, inside the pledge's transaction."""
    link = session.scalar(_finding(code))
    if link is None:
        dialect = session.get_bind().dialect.name
        session.execute(_INSERTS[dialect](ShareLink).values(**_values(code)).on_conflict_do_nothing())
        link = session.scalar(_finding(code))
    session.add(SharePledge(pledge_id=pledge_id, link_id=link))


def _finding(code: ShareCode) -> Any:
    return select(ShareLink.id).filter_by(**_values(code))


def _values(code: ShareCode) -> dict[str, Any]:
    return {"case_id": code.case_id, "channel": code.channel, "sharer": code.sharer}


def _signer() -> Signer:
    keys = kept().get("keys of sharers", math.inf, lambda: list(reversed(settings().keys("sharers"))))
    return Signer(keys, sep="~", digest_method=hashlib.sha256)
