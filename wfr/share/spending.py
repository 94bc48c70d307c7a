"""What posts on X cost: the price of each request as our settings have it, the month's spend, and the budget."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import func, select

from wfr.extensions import AnySession, db, settings, utc_now
from wfr.share.models import MICROS, CampaignPost, LinkPlace, PostState, XCharge

CENT = MICROS // 100


class Charge(StrEnum):
    """What X takes money for: `wfr.share.models.XCharge.what`."""

    POST = "post"
    POST_WITH_LINK = "post_with_link"
    MEDIA = "media"
    READ = "read"


def price(what: Charge) -> int:
    """Return what one request costs, in millionths of a US dollar."""
    dollars: Decimal = getattr(settings(), f"x_price_{what}")
    return int(dollars * MICROS)


def charges_of(post: CampaignPost) -> list[Charge]:
    """Return what X takes money for until this post is out whole, whatever of it is out already."""
    charges = [Charge.MEDIA] if post.card else []
    charges.append(Charge.POST_WITH_LINK if post.link_in == LinkPlace.POST else Charge.POST)
    if post.link_in == LinkPlace.REPLY:
        charges.append(Charge.POST_WITH_LINK)
    return charges


def price_of(post: CampaignPost) -> int:
    """Return what the whole post costs, its picture and its reply included, in millionths of a US dollar."""
    return sum(map(price, charges_of(post)))


def price_with(place: LinkPlace, *, card: bool) -> int:
    """Return what a post with its link in that place costs, in millionths of a US dollar."""
    return price_of(CampaignPost(link_in=place, card=card))


def still_to_pay(post: CampaignPost) -> int:
    """Return what is left of a post's price: of one that is out and lacks its reply, the reply's."""
    if post.x_id is None:
        return price_of(post)
    missing = post.link_in == LinkPlace.REPLY and post.reply_x_id is None
    return price(Charge.POST_WITH_LINK) if missing else 0


def month_of(moment: datetime) -> datetime:
    """Return when the calendar month (UTC) began that a moment lies in."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def spent_in_month(session: AnySession, moment: datetime) -> int:
    """Return what was charged in the calendar month of `moment`, in millionths of a US dollar."""
    began = month_of(moment)
    ended = month_of(began.replace(day=28).replace(month=began.month % 12 + 1, year=began.year + began.month // 12))
    charged = select(func.sum(XCharge.micros)).where(XCharge.charged_at >= began, XCharge.charged_at < ended)
    return int(session.scalar(charged) or 0)


def under_way(session: AnySession) -> int:
    """Return what posts that are being sent may still cost, in millionths of a US dollar."""
    sending = session.scalars(select(CampaignPost).where(CampaignPost.state == PostState.SENDING))
    return sum(map(still_to_pay, sending))


def budget() -> int:
    """Return what a month may cost, in millionths of a US dollar."""
    return int(settings().x_budget * MICROS)


def fits_budget(session: AnySession, micros: int, moment: datetime) -> bool:
    """Say whether so much more may be spent in the month of `moment`, beside what is under way."""
    return spent_in_month(session, moment) + under_way(session) + micros <= budget()


def charge(session: AnySession, what: Charge, post_id: int | None, *, times: int = 1) -> None:
    """Enter what a request cost, inside the caller's transaction with what the request did."""
    if times:
        session.add(XCharge(post_id=post_id, what=what, micros=price(what) * times))


def this_month() -> tuple[int, int]:
    """Return the present month's spend and the budget, in millionths of a US dollar."""
    return spent_in_month(db.session, utc_now()), budget()


def in_dollars(micros: int) -> str:
    """Return a price as it is shown: ``$0.205``, at least two digits behind the point."""
    whole, cents = divmod(micros, CENT)
    rest = f"{cents:04d}".rstrip("0")
    return f"${whole // 100:,}.{whole % 100:02d}{rest}"
