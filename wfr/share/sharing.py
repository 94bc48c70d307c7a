"""Plain links with which a visitor tells others: words are cut to what a network takes, the address never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext as _

from wfr import intents

ELLIPSIS = "…"
SUBJECT_LENGTH = 70
"""Characters of an e-mail's subject that phones show in a list."""


@dataclass(frozen=True, slots=True)
class ShareLinkView:
    """One link of the list: what it says, where it leads, and which network that is.

    `in_browser` is false for links that open a program of the visitor's own instead of a page.
    """

    label: str
    url: str
    network: str

    @property
    def in_browser(self) -> bool:
        """Say whether the link leads to a web page."""
        return self.url.startswith("https://")


def cut(text: str, fits: Callable[[str], bool]) -> str:
    """Return `text`, or as much of its beginning as `fits`, with an ellipsis after the last whole word.

    A text whose first word alone is too long, or that is written without spaces, is cut between characters as
    a reader sees them. Empty when nothing fits.
    """
    if fits(text):
        return text
    characters = intents.graphemes(text)
    starts = [at for at, character in enumerate(characters) if at and character.isspace()]
    by_word = _longest(characters, starts, fits)
    # Chinese, Japanese and Thai have no spaces: a cut between words there would lose nearly everything.
    by_character = _longest(characters, list(range(1, len(characters))), fits)
    return by_word if 2 * len(by_word) >= len(by_character) else by_character


def _longest(characters: list[str], ends: list[int], fits: Callable[[str], bool]) -> str:
    """Return the longest beginning that ends at one of `ends` and fits with its ellipsis, or nothing."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if fits(_shortened(characters, ends[middle])):
            low = middle + 1
        else:
            high = middle
    # A link that is cut in two can count more than the whole: step back until it really fits.
    for end in reversed(ends[:low]):
        if fits(_shortened(characters, end)):
            return _shortened(characters, end)
    return ""


def _shortened(characters: list[str], end: int) -> str:
    return "".join(characters[:end]).rstrip(" \n\t,;:-\N{EN DASH}\N{EM DASH}") + ELLIPSIS


def for_network(network: str, text: str, url: str | None = None) -> str:
    """Return `text` cut so that it fits `network` together with `url`, as that network counts.

    Raises `LookupError` for a network that is not in `wfr.intents.NETWORKS`.
    """
    return cut(text, lambda words: intents.measure(network, words, url).fits)


def _by_email(text: str, url: str) -> str:
    """Return a mailto address that stays below `MAILTO_LIMIT`: the words, a blank line, the link."""
    subject = cut(" ".join(text.split()), lambda words: len(intents.graphemes(words)) <= SUBJECT_LENGTH)

    def address(words: str) -> str:
        return intents.email_share(subject, f"{words}\n\n{url}" if words else url)

    return address(cut(text, lambda words: len(address(words)) <= intents.MAILTO_LIMIT))


def share_links(text: str, url: str) -> list[ShareLinkView]:
    """Return the links that share `url` with `text`, in the order in which they are shown.

    `url` is a whole http(s) address; it comes last in every post and is never cut. Mastodon is not in the
    list: its address needs the server that the visitor is at home on (`wfr.intents.mastodon_post`).
    Facebook and LinkedIn take no words. Labels are in the language of the request.
    """
    return [
        ShareLinkView(_("Share on X"), intents.x_post(for_network("x", text, url), url), "x"),
        ShareLinkView(_("Share on Bluesky"), intents.bluesky_post(for_network("bluesky", text, url), url), "bluesky"),
        ShareLinkView(_("Share on Threads"), intents.threads_post(for_network("threads", text, url), url), "threads"),
        ShareLinkView(_("Share on WhatsApp"), intents.whatsapp(text, url), "whatsapp"),
        ShareLinkView(_("Share on Telegram"), intents.telegram(text, url), "telegram"),
        ShareLinkView(_("Share on Facebook"), intents.facebook(url), "facebook"),
        ShareLinkView(_("Share on LinkedIn"), intents.linkedin(url), "linkedin"),
        ShareLinkView(_("Share by e-mail"), _by_email(text, url), "email"),
        ShareLinkView(_("Share by text message"), intents.sms(text, url), "sms"),
    ]
