"""Share cards: the pictures that networks show beside a link."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from wfr.cases.models import Case
from wfr.pages import language, private, public
from wfr.share.cards import ShareCard, card_case, card_of, draw_card

blueprint = Blueprint("share_cards", __name__)


@blueprint.app_template_global("share_card")
def share_card(case: Case | None = None) -> ShareCard:
    """Return the card of a case, or the season's, in the language of the present page."""
    return card_of(case, language())


@blueprint.get("/cards/<slug>/<tag>/<digest>.png")
def picture(slug: str, tag: str, digest: str) -> ResponseReturnValue:
    """The present card of a case, or of the season, whatever the digest: posts made long ago keep a picture."""
    case = card_case(slug, tag)
    # Addresses that anybody can make up are nobody's to keep: they would fill every cache.
    keep = public if card_of(case, tag).path.endswith(f"/{digest}.png") else private
    return keep(lambda: Response(draw_card(case, tag), mimetype="image/png"))()
