"""Plain links with which a visitor tells others: words are cut to what a network takes, the address never."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from flask_babel import gettext as _

from wfr import intents
from wfr.cases.models import Case
from wfr.share.codes import EVERYBODY
from wfr.share.linking import link_url
from wfr.text import without_sources

PANEL = ("device", *(channel for channel in intents.CHANNELS if channel not in ("device", "campaign")))
"""The channels in the order in which a panel shows them: of `wfr.intents.CHANNELS`, all but the campaign's own."""

_SHAPE_LETTER = "0"
_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class ShareLinkView:
    """One way of the panel: its channel, what it is called, the share link, and the words that go before it.

    `url` opens the network or the visitor's own program. It is empty for what is copied or handed to the device, and
    for Mastodon the part after the host, which only the visitor knows. `measure` says, for a network that has a limit,
    how long the words were before they were cut to it.
    """

    channel: str
    label: str
    link: str
    words: str
    url: str
    measure: intents.Measure | None

    @property
    def in_browser(self) -> bool:
        """Say whether the link leads to a web page, rather than to a program of the visitor's own."""
        return self.url.startswith("https://")

    @property
    def text(self) -> str:
        """The words and, last, the link: what is copied."""
        return f"{self.words} {self.link}" if self.words else self.link


@dataclass(frozen=True, slots=True)
class _Fitted:
    words: str
    measure: intents.Measure | None = None


def words_for(case: Case, language: str, channel: str) -> str:
    """Return the staff's words for a channel, or for any channel, or the name and the headline."""
    text = case.text(language)
    return without_sources(text.share.get(channel) or text.share.get("any") or f"{case.name}: {text.headline}")


def share_links(case: Case, language: str, sharer: int = EVERYBODY, words: str | None = None) -> list[ShareLinkView]:
    """Return the ways to share a case, in the order of `PANEL`, each with its own share link of `sharer`.

    Without `words`, a visitor's own, each channel has the staff's words for it. Labels are in the language of the
    request.
    """
    labels = {
        **intents.NAMES,
        "device": _("Share with this device"),
        "email": _("E-mail"),
        "sms": _("Text message"),
        "link": _("Copy link"),
        "text": _("Copy text"),
    }
    # A visitor's own words are remembered by nobody, not even for a moment.
    fit = _staffs_fitted if words is None else _fitted

    def view(channel: str) -> ShareLinkView:
        link = link_url(case, channel, sharer)
        said = words_for(case, language, channel) if words is None else words
        fitted = fit(channel, said, _shape(link))
        address = _ADDRESSES.get(channel)
        url = address(fitted.words, link) if address else ""
        return ShareLinkView(channel, labels[channel], link, fitted.words, url, fitted.measure)

    return [view(channel) for channel in PANEL]


def _fitted(channel: str, words: str, link: str) -> _Fitted:
    """Return `words` as they go out on a channel, before a link as long as `link`."""
    plain = intents.plain_words(words)
    if channel in intents.NETWORKS:
        measure = intents.measure(channel, plain, link)
        # Each character counts at least one, so what stands after the limit need not be looked at.
        beginning = "".join(intents.graphemes(plain)[: measure.limit + 1])
        fits = plain if measure.fits else intents.cut(beginning, lambda part: intents.measure(channel, part, link).fits)
        return _Fitted(fits, measure)
    if channel == "email":
        return _Fitted(intents.cut(plain, lambda part: len(intents.email_words(part, link)) <= intents.MAILTO_LIMIT))
    return _Fitted("" if channel in intents.WORDLESS else plain)


# A thank-you page is made for each pledge, with links of its own but the same words.
_staffs_fitted = lru_cache(maxsize=_KEPT)(_fitted)


def _shape(link: str) -> str:
    """Return an address that takes as much room as `link`, the same for every sharer."""
    start, slash, code = link.rpartition("/")
    return start + slash + _SHAPE_LETTER * len(code)


_ADDRESSES: Mapping[str, Callable[[str, str], str]] = {
    "x": intents.x_post,
    "bluesky": intents.bluesky_post,
    "mastodon": intents.mastodon_path,
    "threads": intents.threads_post,
    "whatsapp": intents.whatsapp,
    "telegram": intents.telegram,
    "facebook": lambda _words, url: intents.facebook(url),
    "linkedin": lambda _words, url: intents.linkedin(url),
    "email": intents.email_words,
    "sms": intents.sms,
}
