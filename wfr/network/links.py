"""The personal links of a member: signed, stored nowhere, each good for one thing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum

from itsdangerous import BadSignature, Signer, TimestampSigner
from sqlalchemy import select

from wfr.errors import NoSuchThing
from wfr.extensions import AnySession, settings
from wfr.network.models import Member

CONFIRM_SECONDS = 7 * 24 * 60 * 60


class LinkFor(StrEnum):
    """What a link is good for. Who has one of them has not the others."""

    CONFIRM = "confirm"
    ME = "me"
    LEAVE = "leave"


def link_token(member: Member, purpose: LinkFor, case_id: int | None = None) -> str:
    """Return the last part of a member's link for `purpose`; one that confirms may name a case to follow."""
    return token_for(member.number, member.links, purpose, case_id)


def token_for(number: int, links: int, purpose: LinkFor, case_id: int | None = None) -> str:
    """Return what `link_token` returns, for who has the two numbers of a member and not her row."""
    return _signer(purpose).sign(f"{number:x}.{links}.{case_id or 0}").decode()


def token_maker(purpose: LinkFor) -> Callable[[int, int], str]:
    """Return what does for one purpose what `token_for` does, quickly: its keys are looked up once."""
    signer = _signer(purpose)
    return lambda number, links: signer.sign(f"{number:x}.{links}.0").decode()


def link_address(member: Member, purpose: LinkFor, case_id: int | None = None) -> str:
    """Return the whole link for `purpose`, as it stands in mails."""
    return f"{address_before(purpose)}{link_token(member, purpose, case_id)}"


def address_before(purpose: LinkFor) -> str:
    """Return what stands before the token in a link for `purpose`."""
    return f"{settings().base_url}/network/{purpose.value}/"


def member_of_link(session: AnySession, token: str, purpose: LinkFor) -> tuple[Member, int | None]:
    """Return the member that a link leads to, and the case that it names; raises `NoSuchThing`.

    A link that confirms lasts for a week, that of her page until it is replaced, one that lets her leave for good: it
    stands in every mail that she has, and must never have her believe that she has left. It alone finds her while she
    is leaving.
    """
    try:
        signer = _signer(purpose)
        signed = (
            signer.unsign(token, max_age=CONFIRM_SECONDS)
            if isinstance(signer, TimestampSigner)
            else signer.unsign(token)
        )
        number, links, case_id = signed.decode().split(".")
        member = session.scalar(select(Member).where(Member.number == int(number, 16)))
    except (BadSignature, ValueError):
        raise NoSuchThing("member") from None
    if member is None:
        raise NoSuchThing("member")
    if purpose is not LinkFor.LEAVE and (member.left_at is not None or str(member.links) != links):
        raise NoSuchThing("member")
    return member, int(case_id) or None


def _signer(purpose: LinkFor) -> Signer:
    sort = TimestampSigner if purpose is LinkFor.CONFIRM else Signer
    keys = list(reversed(settings().keys("network")))
    return sort(keys, salt=purpose.encode(), sep="~", digest_method=hashlib.sha256)
