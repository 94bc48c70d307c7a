"""Preferences: what a member wants to hear of, how often, and in which languages."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from wfr.errors import NoSuchThing, Refused
from wfr.extensions import AnySession, transaction
from wfr.network.asking import LINKS, Asked, count_mail
from wfr.network.links import LinkFor, link_address, member_of_link
from wfr.network.models import Frequency, Member


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody asks for; the fields are those of `Member`, with one to three languages, the best liked first."""

    country: str = ""
    languages: tuple[str, ...] = ("en",)
    frequency: Frequency = Frequency.EVERY
    at_most: int = 4
    regions: int = 0
    concerns: int = 0


def change_wishes(*, token: str, wishes: Wishes) -> None:
    """Change what a member asks for, by the link to her page; raises `NoSuchThing`, `DatabaseAway`."""
    with transaction() as session:
        put_wishes(locked_member(session, token, LinkFor.ME)[0], wishes)


def replace_links(*, token: str) -> None:
    """End a member's links and mail her new ones; those that let her leave go on working, in every mail she has.

    Raises `NoSuchThing`, `Refused` where she was sent enough today, `DatabaseAway`; `wfr.mail.NotSent` when the links
    are replaced and the mail could not leave.
    """
    with transaction() as session:
        member, _ = locked_member(session, token, LinkFor.ME)
        if not count_mail(session, member.email, apart=LINKS):
            raise Refused(_l("You have had five new links today. Your link stays as it is: try tomorrow."))
        member.links += 1
        asked = Asked("network_links", member.email, {"page": link_address(member, LinkFor.ME)})
    asked.send()


def put_wishes(member: Member, wishes: Wishes) -> None:
    """Make `wishes` a member's own, inside the caller's transaction."""
    first, second, third, *_ = (*dict.fromkeys(wishes.languages), None, None)
    member.country = wishes.country
    member.language, member.second_language, member.third_language = first or "en", second, third
    member.frequency, member.at_most = wishes.frequency, wishes.at_most
    member.regions, member.concerns = wishes.regions, wishes.concerns


def locked_member(session: AnySession, token: str, purpose: LinkFor) -> tuple[Member, int | None]:
    """Return what `member_of_link` returns, the member locked until the caller's transaction ends.

    Raises `NoSuchThing`.
    """
    found, case_id = member_of_link(session, token, purpose)
    member = session.get(Member, found.id, with_for_update=True, populate_existing=True)
    if member is None or member.left_at is not None:
        raise NoSuchThing("member")
    return member, case_id
