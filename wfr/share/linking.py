"""Share links: their addresses, what opening one and acting through one records, and what came of one's own."""

from __future__ import annotations

import hashlib

from itsdangerous import BadSignature, Signer

from wfr.cases.models import Case
from wfr.errors import NoSuchThing
from wfr.extensions import settings
from wfr.share.codes import EVERYBODY, ShareCode


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


def _signer() -> Signer:
    return Signer(list(reversed(settings().keys("sharers"))), sep="~", digest_method=hashlib.sha256)
