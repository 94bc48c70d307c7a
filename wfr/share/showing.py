"""What the head of a public page says to networks and search engines, put together for the present request."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from flask import current_app, request, url_for

from wfr.cases.models import Case
from wfr.cases.queries import shelf, today
from wfr.errors import DATABASE_AWAY
from wfr.extensions import kept, settings
from wfr.pages import PROCESS_SECONDS, language
from wfr.share.cards import ShareCard, card_of
from wfr.share.previews import (
    LISTED,
    SHARE_LINK,
    Facts,
    Preview,
    Site,
    case_facts,
    description_of,
    general_description,
    locale_of,
    site_facts,
    stories_facts,
)

OEMBED = "api_oembed.oembed"


def page_preview(case: Case | None = None) -> Preview:
    """Return what the present page's head says, and of which case; of none where others may not be shown it."""
    rule = request.url_rule.rule if request.url_rule else ""
    listed = rule in LISTED and request.method in ("GET", "HEAD")
    hidden = case is not None and not case.for_feeds(today())
    if hidden or not (listed or rule == SHARE_LINK):
        case = None
    url = f"{settings().base_url}{url_for(str(request.endpoint), **request.view_args or {})}" if listed else None
    name = f"preview {language()} {url} {case.slug if case else None} {hidden}"
    return kept().get(name, PROCESS_SECONDS, lambda: replace(_preview(rule, url, case), names_nobody=hidden))


def _preview(rule: str, url: str | None, case: Case | None) -> Preview:
    return Preview(
        url=url,
        description=description_of(case.text(language())) if case else general_description(),
        image=_card(case),
        kind="article" if case else "website",
        locale=locale_of(language()),
        oembed=_oembed_of(case) if case else None,
        facts=_facts(rule, case, url) if url else (),
    )


def _card(case: Case | None) -> ShareCard | None:
    try:
        return card_of(case, language())
    except DATABASE_AWAY:
        return None


def _facts(rule: str, case: Case | None, url: str) -> tuple[Facts, ...]:
    present = settings()
    site = Site(present.site_name, present.organisation, present.base_url, language())
    if rule == "/":
        seen = shelf()
        # A demonstration replays a season of long ago: its days are nobody's appointment.
        return site_facts(site, None if seen.demonstration else seen.season)
    if rule == "/stories":
        return stories_facts(shelf().stories_in(language()), url)
    return case_facts(site, case, url) if case and rule == "/cases/<slug>" else ()


def _oembed_of(case: Case) -> str | None:
    if OEMBED not in current_app.view_functions:
        return None
    base = settings().base_url
    return f"{base}{url_for(OEMBED)}?{urlencode({'url': base + url_for('cases.case', slug=case.slug)})}"
