"""Share links: their addresses, and what opening one and acting through one records."""

from __future__ import annotations

import hashlib
import math
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, Signer
from limits import parse
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from wfr.cases.models import Case
from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, address_key, db, kept, limiter, one_statement, settings, transaction
from wfr.share.codes import EVERYBODY, ShareCode
from wfr.share.models import ShareLink, SharePledge

_INSERTS: dict[str, Any] = {"postgresql": postgresql_insert, "sqlite": sqlite_insert}
_KEY = ("case_id", "channel", "sharer")


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


def count_opening(code: ShareCode, *, preview: bool) -> None:
    """Count that a share link was opened, by a person or by a program that makes a preview.

    One address counts for `limit_visits` visits of a link and no more, so that nobody can make them up by reloading.
    Raises `DatabaseAway`.
    """
    if settings().ratelimit_enabled:
        limit = parse(settings().limit_visits)
        if not limiter.limiter.hit(limit, "preview" if preview else "visit", code.text, address_key()):
            return
    dialect = db.engine.dialect.name
    column = ShareLink.previews if preview else ShareLink.visits
    added = _INSERTS[dialect](ShareLink).values(**_values(code), **{column.key: 1})
    counting = added.on_conflict_do_update(index_elements=_KEY, set_={column.key: column + 1})
    if dialect == "postgresql":
        # One round trip instead of four: everybody who opens a popular link waits for the same row.
        with one_statement() as connection:
            connection.execute(counting)
        return
    with transaction() as session:
        session.execute(counting)


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
