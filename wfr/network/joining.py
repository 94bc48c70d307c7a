"""Joining: an address is typed, a mail goes to it, and its owner confirms. Nobody learns whether it was known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import delete, select

from wfr.extensions import AnySession, transaction, utc_now
from wfr.mail import forget_in_outbox
from wfr.network.asking import Asked, count_mail, knock
from wfr.network.following import add_follow
from wfr.network.links import CONFIRM_SECONDS, LinkFor, link_address
from wfr.network.models import Frequency, Member
from wfr.network.preferring import Wishes, locked_member, put_wishes
from wfr.network.suppressing import release

CONFIRM_DAYS = CONFIRM_SECONDS // (24 * 60 * 60)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Joining:
    """An address that somebody typed, what it is to get, and the case that its owner may want to follow."""

    email: str
    wishes: Wishes
    case_id: int | None = None


def join(joining: Joining) -> None:
    """Mail the reader of an address the link that confirms, or the links of a member where she is one already.

    Until she confirms nothing else happens, and a member's wishes stay as they are. Nothing is sent to an address that
    had its mails for today, whose mail comes back, or that is leaving; the caller is told nothing of it, nor while the
    mail server is away. Raises `wfr.mail.NotSent`, `DatabaseAway`.
    """
    with transaction() as session:
        asked = _ask(session, joining) if count_mail(session, joining.email) else None
    if asked is None:
        knock()
    else:
        asked.send()


def confirm(*, token: str) -> Member:
    """Make the member of a link one who is written to, and let her follow the case that it names. Twice is as once.

    Raises `NoSuchThing` for a link that is not ours or older than a week, `DatabaseAway`.
    """
    with transaction() as session:
        member, case_id = locked_member(session, token, LinkFor.CONFIRM)
        if member.confirmed_at is None:
            member.confirmed_at, member.bounces = utc_now(), 0
            release(session, member.email)
        if case_id is not None:
            add_follow(session, member, case_id)
    return member


def forget_unconfirmed() -> int:
    """Erase the addresses that nobody has confirmed within a week; return how many there were."""
    with transaction() as session:
        stale = delete(Member).where(
            Member.confirmed_at.is_(None), Member.made_at < utc_now() - timedelta(seconds=CONFIRM_SECONDS)
        )
        erased = session.execute(stale.returning(Member.email)).scalars().all()
    for email in erased:
        forget_in_outbox(email)
    if erased:
        log.info("unconfirmed_erased", members=len(erased))
    return len(erased)


def _ask(session: AnySession, joining: Joining) -> Asked | None:
    member = session.scalar(
        select(Member).where(Member.email == joining.email).with_for_update().execution_options(populate_existing=True)
    )
    if member is not None and member.left_at is not None:
        # She left a moment ago, and her row waits for the message on its way to her: it is gone in a minute at most.
        return None
    if member is not None and member.confirmed_at is not None:
        return _for_member(member, joining.case_id)
    return _for_stranger(session, member, joining)


def _for_member(member: Member, case_id: int | None) -> Asked:
    follow = link_address(member, LinkFor.CONFIRM, case_id) if case_id is not None else None
    return Asked("network_known", member.email, {"page": link_address(member, LinkFor.ME), "follow": follow})


def _for_stranger(session: AnySession, member: Member | None, joining: Joining) -> Asked:
    """Store what is asked for; to follow somebody takes nothing from what was asked for and still waits."""
    waits = member is not None
    if member is None:
        member = Member(email=joining.email)
        session.add(member)
    if not waits or joining.wishes.frequency is not Frequency.FOLLOWING:
        put_wishes(member, joining.wishes)
    member.made_at = utc_now()
    session.flush()
    link = link_address(member, LinkFor.CONFIRM, joining.case_id)
    return Asked("network_confirm", member.email, {"link": link, "days": CONFIRM_DAYS})
