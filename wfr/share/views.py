"""Ways to share a case, for any page that includes them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for

from wfr.cases.models import Case
from wfr.extensions import settings
from wfr.pages import language
from wfr.share.sharing import ShareLinkView, share_links

blueprint = Blueprint("share", __name__)


def links_for(case: Case) -> list[ShareLinkView]:
    """Return the plain links that share a case, its words first and its address last."""
    url = f"{settings().base_url}{url_for('cases.case', slug=case.slug)}"
    return share_links(f"{case.name}: {case.text(language()).headline}", url)


@blueprint.app_context_processor
def sharing_for_templates() -> dict[str, Any]:
    """Let every template ask for a case's share links."""
    return {"share_links_for": links_for}
