"""What networks and search engines read of a page: its words, its picture, its one address, and schema.org."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.core import get_global
from flask_babel import gettext as _

from wfr.cases.models import Case, CaseText, Season, Story
from wfr.intents import cut
from wfr.share.cards import ShareCard, card_of
from wfr.text import without_sources

LISTED = frozenset(
    {
        "/",
        "/cases/<slug>",
        "/cases/<slug>/share",
        "/cases/<slug>/<any(letter, email, post, solidarity):kind>",
        "/cases/<slug>/already",
        "/several",
        "/stories",
        "/how-we-count",
        "/privacy",
        "/your-sheet",
        "/join",
        "/schools",
        "/schools/start",
        "/schools/pack",
        "/network",
        "/urgent-actions",
        "/urgent-actions/<slug>",
    }
)
"""Rules of the pages that have one public address, for search engines to list. All others ask not to be listed: their
address holds a token or a code, or is an answer to somebody."""

SHARE_LINK = "/s/<code>"
"""The rule of a share link's page. It shows its case to networks and claims no other address: a network that was told
one would have people open that instead, and the link would have brought nobody."""

DESCRIPTION_LENGTH = 200
"""Characters; networks show fewer, search engines about 160."""

TERRITORIES = {"en": "GB"}
"""Where the words of a language are from, if not from where most of its speakers live."""

Facts = dict[str, Any]
"""A thing as schema.org has it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the head of one page says of it beside its title.

    `url` is the page's one public address, None where it has none or search engines may not list it. There is no
    `image` while the database has never answered. `oembed` is the address that is asked for the page's embed. `kind` is
    Open Graph's type, `locale` its language, such as ``en_GB``. `names_nobody`
    says that the page is about a case which others may not be shown: its title is then not repeated.
    """

    url: str | None
    description: str
    image: ShareCard | None
    kind: str
    locale: str
    oembed: str | None = None
    names_nobody: bool = False
    facts: tuple[Facts, ...] = ()

    @property
    def schema(self) -> Facts | None:
        """Return the page's facts as one JSON-LD document, or None without any."""
        return {"@context": "https://schema.org", "@graph": list(self.facts)} if self.facts else None


@dataclass(frozen=True, slots=True)
class Site:
    """Whose pages they are: the site's name and address, the organisation if one is set, the language of its words."""

    name: str
    organisation: str
    url: str
    language: str

    @property
    def publisher(self) -> Facts:
        """Return who answers for the pages: the organisation, or the site where none is named."""
        return {"@type": "Organization", "name": self.organisation or self.name, "url": f"{self.url}/"}


def general_description() -> str:
    """Return what is said of every page that says nothing of its own."""
    words = _("Letters for people whose rights are abused. Read what happened, and write to those who can change it.")
    return str(words)


def description_of(text: CaseText) -> str:
    """Return a case's summary without source tags, at most `DESCRIPTION_LENGTH` characters, cut at a word."""
    return _shortened(text.summary)


@lru_cache(maxsize=256)
def _shortened(words: str) -> str:
    plain = " ".join(without_sources(words).split())
    return cut(plain, lambda part: len(part) <= DESCRIPTION_LENGTH)


def locale_of(language: str) -> str:
    """Return a language tag as Open Graph writes it, with a territory: ``en_GB`` for ``en``."""
    locale = Locale.parse(language, sep="-")
    known = locale.territory or TERRITORIES.get(locale.language)
    return f"{locale.language}_{known or str(get_global('likely_subtags')[locale.language]).rpartition('_')[2]}"


def site_facts(site: Site, season: Season | None) -> tuple[Facts, ...]:
    """Return what the home page states: whose site it is, and from when until when its season runs."""
    home: Facts = {
        "@type": "WebSite",
        "name": site.name,
        "url": f"{site.url}/",
        "description": general_description(),
        "inLanguage": site.language,
    }
    if site.organisation:
        home["publisher"] = site.publisher
    return (home, _season_facts(site, season)) if season else (home,)


def _season_facts(site: Site, season: Season) -> Facts:
    return {
        "@type": "Event",
        "name": season.name,
        "description": general_description(),
        "startDate": season.opens.isoformat(),
        "endDate": season.closes.isoformat(),
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": f"{site.url}/"},
        "organizer": site.publisher,
    }


def case_facts(site: Site, case: Case, url: str) -> tuple[Facts, ...]:
    """Return what a case's page states. When it was first published is not known here, so no date is."""
    text = case.text(site.language)
    return (
        {
            "@type": "Article",
            "headline": without_sources(text.headline),
            "description": description_of(text),
            "image": card_of(case, site.language).url,
            "url": url,
            "mainEntityOfPage": url,
            "inLanguage": text.language,
            # A case may be a person or a whole community.
            "about": {"@type": "Thing", "name": case.name},
            "author": site.publisher,
            "publisher": site.publisher,
        },
        {
            "@type": "BreadcrumbList",
            "itemListElement": [
                {"@type": "ListItem", "position": 1, "name": site.name, "item": f"{site.url}/"},
                {"@type": "ListItem", "position": 2, "name": case.name, "item": url},
            ],
        },
    )


def stories_facts(stories: Iterable[Story], url: str) -> tuple[Facts, ...]:
    """Return what the page of stories states: which there are, and where on the page each begins."""
    items = [
        {
            "@type": "ListItem",
            "position": position,
            "name": story.title,
            "description": _shortened(story.summary),
            "url": f"{url}#{story.slug}",
        }
        for position, story in enumerate(stories, start=1)
    ]
    return ({"@type": "ItemList", "itemListElement": items},) if items else ()
