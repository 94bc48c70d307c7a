"""Telling people from programs: networks open a link before anybody does, to show words and a picture beside it.

Nobody can tell for certain. What says of itself that it is a program, and what no browser would ask, is counted as a
preview; everything else as a visit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# What programs call themselves that make previews, index pages, check links or fetch them by a library. Cubot makes
# telephones.
_PROGRAMS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|unfurl|embed|fetch|scan|monitor|check|validator|feed|archive|index|headless"
    r"|facebookexternalhit|facebookcatalog|meta-external|whatsapp|telegram|skypeuri|slack|discord|mastodon|pleroma"
    r"|misskey|akkoma|friendica|lemmy|pinterest|vkshare|w3c_|mattermost|rocket\.chat|zoom\.|viber|snapchat|iframely"
    r"|curl|wget|httpie|python|aiohttp|okhttp|java/|libwww|perl|ruby|php|node|axios|undici|go-http|http-client|guzzle"
    r"|cardyb|google-read-aloud|bytespider|gptbot|claude|perplexity",
    re.IGNORECASE,
)
# These networks open links in browsers of their own, which say so; their programs call themselves otherwise.
_BROWSERS_IN_APPS = re.compile(r"\[FB|FBAN|FBAV|Instagram|Barcelona|LinkedInApp|Line/|MicroMessenger", re.IGNORECASE)


def is_preview(headers: Mapping[str, str]) -> bool:
    """Say whether a request comes from a program that looks at a page, as far as its headers tell.

    A browser that fetches ahead of time (``Sec-Purpose: prefetch``) is one too: its person may never come.
    """
    agent = headers.get("User-Agent", "")
    if not agent.startswith("Mozilla/") and not agent.startswith("Opera/"):
        return True
    if "prefetch" in headers.get("Sec-Purpose", headers.get("Purpose", "")):
        return True
    if headers.get("Sec-Fetch-Dest", "document") not in ("document", "iframe"):
        return True
    if "text/html" not in headers.get("Accept", "text/html"):
        return True
    return bool(_PROGRAMS.search(agent)) and not _BROWSERS_IN_APPS.search(agent)
