"""Plain links with which a visitor tells others: words are cut to what a network takes, the address never."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from flask_babel import gettext as _

from wfr import intents
from wfr.cases.models import Case
from wfr.share.codes import EVERYBODY
from wfr.share.linking import link_url
from wfr.text import without_sources

ELLIPSIS = "…"
SUBJECT_LENGTH = 70
"""Characters of an e-mail's subject that phones show in a list."""

WORDS_LENGTH = 1_000
"""Characters that a visitor's own words may have."""

PANEL = ("device", *(channel for channel in intents.CHANNELS if channel not in ("device", "campaign")))
"""The channels in the order in which a panel shows them: of `wfr.intents.CHANNELS`, all but the campaign's own."""

NAMES: Mapping[str, str] = {
    **{channel: network.label for channel, network in intents.NETWORKS.items()},
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "facebook": "Facebook",
    "linkedin": "LinkedIn",
}
"""What networks call themselves, in every language."""

WORD_JOINER = "\u2060"
# What makes a name, an address with a scheme or a host of its own; the joiner goes between its two halves. A host is
# broken before its last part, since that is what networks know hosts by.
_SMUGGLED = re.compile(
    r"(?<=[@\uff20])(?=[^\s\u2060])|(?<=[^\W\d_]:)(?=[^\s\u2060])|(?<=:)(?=//)|(?<=[^\s.]\.)(?=[^\W\d_])"
)
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


def plain_words(text: str) -> str:
    """Return `text`, to be read as before, with nothing in it that a network would make a mention or a link of.

    A WORD JOINER, which shows nothing, goes between an @ and the name, after a scheme's colon, and before each further
    part of a host. Hashtags stay what they are.
    """
    return _SMUGGLED.sub(WORD_JOINER, text)


def share_links(case: Case, language: str, sharer: int = EVERYBODY, words: str | None = None) -> list[ShareLinkView]:
    """Return the ways to share a case, in the order of `PANEL`, each with its own share link of `sharer`.

    Without `words`, a visitor's own, each channel has the staff's words for it. Labels are in the language of the
    request.
    """
    labels = {
        **NAMES,
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


def cut(text: str, fits: Callable[[str], bool]) -> str:
    """Return `text`, or as much of its beginning as `fits`, with an ellipsis after the last whole word.

    A text whose first word alone is too long, or that is written without spaces, is cut between characters as
    a reader sees them. Empty when nothing fits.
    """
    if fits(text):
        return text
    characters = intents.graphemes(text)
    by_character = _longest(characters, fits)
    # Chinese, Japanese and Thai have no spaces: a cut between words there would lose nearly everything.
    for end in range(by_character, by_character // 2, -1):
        if characters[end].isspace() and fits(_shortened(characters, end)):
            return _shortened(characters, end)
    return _shortened(characters, by_character) if by_character else ""


def _longest(characters: list[str], fits: Callable[[str], bool]) -> int:
    """Return how many of `characters` are the most that fit with an ellipsis, at least one fewer than there are."""
    low, high = 0, len(characters) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if fits(_shortened(characters, middle)):
            low = middle
        else:
            high = middle - 1
    # A longer beginning can count less, where it ends inside what counts as one: step back until it really fits.
    return next((end for end in range(low, 0, -1) if fits(_shortened(characters, end))), 0)


def _shortened(characters: list[str], end: int) -> str:
    return "".join(characters[:end]).rstrip(f" \n\t,;:-\N{EN DASH}\N{EM DASH}{WORD_JOINER}") + ELLIPSIS


def _fitted(channel: str, words: str, link: str) -> _Fitted:
    """Return `words` as they go out on a channel, before a link as long as `link`."""
    plain = plain_words(words)
    if channel in intents.NETWORKS:
        measure = intents.measure(channel, plain, link)
        # Each character counts at least one, so what stands after the limit need not be looked at.
        beginning = "".join(intents.graphemes(plain)[: measure.limit + 1])
        fits = plain if measure.fits else cut(beginning, lambda part: intents.measure(channel, part, link).fits)
        return _Fitted(fits, measure)
    if channel == "email":
        return _Fitted(cut(plain, lambda part: len(_by_email(part, link)) <= intents.MAILTO_LIMIT))
    return _Fitted("" if channel in intents.WORDLESS else plain)


# A thank-you page is made for each pledge, with links of its own but the same words.
_staffs_fitted = lru_cache(maxsize=_KEPT)(_fitted)


def _shape(link: str) -> str:
    """Return an address that takes as much room as `link`, the same for every sharer."""
    start, slash, code = link.rpartition("/")
    return start + slash + _SHAPE_LETTER * len(code)


def _by_email(words: str, url: str) -> str:
    """Return the mailto address without a recipient: the words, a blank line, the link."""
    subject = cut(" ".join(words.split()), lambda part: len(intents.graphemes(part)) <= SUBJECT_LENGTH)
    return intents.email_share(subject, f"{words}\n\n{url}" if words else url)


_ADDRESSES: Mapping[str, Callable[[str, str], str]] = {
    "x": intents.x_post,
    "bluesky": intents.bluesky_post,
    "mastodon": intents.mastodon_path,
    "threads": intents.threads_post,
    "whatsapp": intents.whatsapp,
    "telegram": intents.telegram,
    "facebook": lambda _words, url: intents.facebook(url),
    "linkedin": lambda _words, url: intents.linkedin(url),
    "email": _by_email,
    "sms": intents.sms,
}
