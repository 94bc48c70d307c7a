"""A campaign post as it will look: its parts, how long they are, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from flask_babel import gettext as _

from wfr.cases.models import Case
from wfr.intents import Measure
from wfr.share.cards import ShareCard, card_of
from wfr.share.models import CampaignPost, LinkPlace, XAccount
from wfr.share.post_queries import PostAtDesk
from wfr.share.post_rules import link_of, measure_post, measure_reply, word_problems
from wfr.share.posting import PostDraft
from wfr.share.spending import in_dollars, price_of, price_with, this_month

SHOWN_OF_LINK = 27
"""Characters that X shows of an address."""


@dataclass(frozen=True, slots=True)
class PostPreview:
    """What a post will look like. `link` is how X shows its address.

    `problems` are what must be mended before it can be handed in, empty where its words cannot be changed any more.
    """

    post: CampaignPost
    account: XAccount | None
    card: ShareCard | None
    link: str
    measure: Measure
    reply_measure: Measure | None
    price: str
    problems: list[object]

    @property
    def said(self) -> str:
        """Say in words whether X takes the post and its reply, for who cannot see how long they are."""
        fits = self.measure.fits and (self.reply_measure is None or self.reply_measure.fits)
        return str(_("It fits.") if fits else _("It is too long."))

    @property
    def link_in_post(self) -> bool:
        """Say whether the post itself ends with its link."""
        return self.post.link_in == LinkPlace.POST


@dataclass(frozen=True, slots=True)
class Spending:
    """The month's spend and the budget, as they are shown, and how much of the budget is gone, in percent."""

    spent: str
    budget: str
    percent: int


def preview_of(found: PostAtDesk, draft: PostDraft | None = None) -> PostPreview:
    """Return how a post will look; with a `draft`, how it would look if that were saved."""
    post, case = found.post, found.case
    if draft is not None:
        # A row that no session knows: nothing is stored of what somebody only tries.
        post = CampaignPost(case_id=post.case_id, language=post.language, sharer=post.sharer)
        for field in fields(PostDraft):
            setattr(post, field.name, getattr(draft, field.name))
    return PostPreview(
        post=post,
        account=found.account,
        card=card_of(case, post.language) if post.card and not found.withdrawn else None,
        link=_shown(post, case),
        measure=measure_post(post, case),
        reply_measure=measure_reply(post, case),
        price=in_dollars(price_of(post)),
        problems=word_problems(post, case) if found.editable else [],
    )


def _shown(post: CampaignPost, case: Case | None) -> str:
    address = urlsplit(link_of(post, case))
    whole = f"{address.netloc}{address.path}".removesuffix("/")
    return whole if len(whole) <= SHOWN_OF_LINK else f"{whole[:SHOWN_OF_LINK]}…"


def spending() -> Spending:
    """Return what the month has cost so far."""
    spent, budget = this_month()
    return Spending(in_dollars(spent), in_dollars(budget), min(100, 100 * spent // budget) if budget else 100)


def prices_of_places(*, card: bool) -> dict[str, str]:
    """Return what a post costs with its link in each place, as it is shown."""
    return {place.value: in_dollars(price_with(place, card=card)) for place in LinkPlace}
