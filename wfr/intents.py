"""Addresses that open somebody's own program with words in it, and how each network counts length.

Nothing here sends anything: every function returns an address (or, for `eml`, a file) that the visitor opens.
All words are percent-encoded with nothing left safe, so that no text can add a parameter of its own.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import regex

with warnings.catch_warnings():
    # It reads its emoji table through pkg_resources, which warns that it will go.
    warnings.simplefilter("ignore")
    from twitter_text import extract_emojis_with_indices, extract_urls_with_indices, parse_tweet

MAILTO_LIMIT: Final = 2_000
"""Characters of a whole mailto address beyond which mail programs and Windows begin to cut it."""

URL_LENGTH: Final = 23
"""What X and Mastodon count for a link, however long it is."""

SHARE_CODE_LENGTH: Final = 18
"""Letters of the code at the end of somebody's own share link."""

SUBJECT_LENGTH: Final = 70
"""Characters of an e-mail's subject that phones show in a list."""

ELLIPSIS: Final = "…"

CHANNELS: Final = (
    "x",
    "bluesky",
    "mastodon",
    "threads",
    "whatsapp",
    "telegram",
    "facebook",
    "linkedin",
    "email",
    "sms",
    "link",
    "text",
    "device",
    "campaign",
)
"""The ways in which a case is passed on, in the order in which they are numbered in share links: append only.

``link`` and ``text`` are copied by hand, ``device`` is the share sheet of a phone, ``campaign`` the campaign's own
posts.
"""

WORDLESS: Final = frozenset({"facebook", "linkedin", "link"})
"""The channels that take an address and no words."""

# The address that an HTML form accepts as an e-mail address: https://html.spec.whatwg.org/#valid-e-mail-address
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_MAILBOX = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
_HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
# As X finds a name: behind nothing that belongs to a word, an e-mail address or another @; or behind the word RT.
_MENTION = re.compile(
    r"(?:(?<![A-Za-z0-9_!#$%&*@\uff20])|(?<=[Rr][Tt])(?<![A-Za-z0-9_+~.-]..))[@\uff20]([A-Za-z0-9_]{1,20})"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Where X's rules would look for seconds: at more parts than a host has, and at long words that are not of ASCII alone.
_DOTTED = re.compile(r"(?<![^\s.])(?:[^\s.]+\.){11,}[^\s.]*")
_LONG_WORD = re.compile(r"(?<![^\s.])[^\s.]{200,}")
_HOST_GOES_ON = re.compile(r"\.[^\W\d_]")

WORD_JOINER: Final = "\u2060"
# What makes a name, an address with a scheme or a host of its own; the joiner goes between its two halves. A host is
# broken before its last part, since that is what networks know hosts by.
_SMUGGLED = re.compile(
    r"(?<=[@\uff20])(?=[^\s\u2060])|(?<=[^\W\d_]:)(?=[^\s\u2060])|(?<=:)(?=//)|(?<=[^\s.]\.)(?=[^\W\d_])"
)


def _whole(text: str) -> str:
    """Return `text` with lone surrogates, which no encoding can carry, replaced by question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _quoted(text: str, line_break: str = "\n") -> str:
    return quote(_LINE_BREAK.sub(line_break, text), safe="", errors="replace")


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", _whole(text)).strip()


def _mailbox(to: str) -> str:
    """Return `to` if it is one plain e-mail address or empty; raises `ValueError` for anything else."""
    if to and not _MAILBOX.fullmatch(to):
        raise ValueError(f"not a plain e-mail address: {to!r}")
    return to


def _with_link(text: str, url: str | None) -> str:
    """Return what is posted where a network takes one text: the words, a space, the link."""
    return " ".join(part for part in (text, url) if part)


# E-mail


def mailto(to: str, subject: str, body: str) -> str:
    """Return the ``mailto:`` address of RFC 6068 that opens the visitor's mail program.

    Line breaks of `body` become ``%0D%0A`` and spaces ``%20``, as sections 4 and 5 of the RFC ask. An empty
    `to` leaves the visitor to choose. Raises `ValueError` when `to` is not one plain e-mail address.
    """
    address = quote(_mailbox(to), safe="@")
    words = _quoted(body, line_break="\r\n")
    return f"mailto:{address}?subject={_quoted(_one_line(subject))}&body={words}"


def too_long_for_mailto(to: str, subject: str, body: str) -> bool:
    """Say whether the ``mailto:`` address is longer than `MAILTO_LIMIT`, so that copy and `eml` should lead.

    The encoded address is what counts: one Arabic letter takes six characters of it.
    """
    return len(mailto(to, subject, body)) > MAILTO_LIMIT


def gmail(to: str, subject: str, body: str) -> str:
    """Return the address of Gmail's compose window. Google documents no such form; it is in wide use.

    Raises `ValueError` when `to` is not one plain e-mail address.
    """
    fields = f"to={_quoted(_mailbox(to))}&su={_quoted(_one_line(subject))}&body={_quoted(body)}"
    return f"https://mail.google.com/mail/?view=cm&fs=1&{fields}"


def outlook(to: str, subject: str, body: str) -> str:
    """Return the address of Outlook on the web's compose window, for personal accounts.

    Microsoft documents no such form; it is in wide use. Somebody who must sign in first may find plus signs
    for spaces: Microsoft's redirect re-encodes them, as its own community forum reports.
    Raises `ValueError` when `to` is not one plain e-mail address.
    """
    fields = f"to={_quoted(_mailbox(to))}&subject={_quoted(_one_line(subject))}&body={_quoted(body)}"
    return f"https://outlook.live.com/mail/0/deeplink/compose?{fields}"


def yahoo(to: str, subject: str, body: str) -> str:
    """Return the address of Yahoo Mail's compose window. Yahoo documents no such form; it is in wide use.

    Raises `ValueError` when `to` is not one plain e-mail address.
    """
    fields = f"to={_quoted(_mailbox(to))}&subject={_quoted(_one_line(subject))}&body={_quoted(body)}"
    return f"https://compose.mail.yahoo.com/?{fields}"


def eml(to: str, subject: str, body: str, *, name: str = "") -> bytes:
    """Return the message as a file that mail programs open as a draft: UTF-8, CRLF, ``X-Unsent: 1``.

    `name` is shown with the address it goes to. There is no From: the visitor's own program fills it in.
    ``X-Unsent`` is in no RFC: Microsoft's CDO documentation describes it, and Outlook opens such a file ready
    to send. A program that does not know it shows the message, to be copied or forwarded.
    Line breaks in `subject` and `name` become spaces, so that neither can add a header.
    Raises `ValueError` when `to` is not one plain e-mail address.
    """
    message = EmailMessage(policy=SMTP)
    message["X-Unsent"] = "1"
    if _mailbox(to):
        message["To"] = Address(display_name=_one_line(name), addr_spec=to)
    message["Subject"] = _one_line(subject)
    message.set_content(_LINE_BREAK.sub("\n", _whole(body)), charset="utf-8", cte="quoted-printable")
    return message.as_bytes()


def email_share(subject: str, body: str) -> str:
    """Return a ``mailto:`` address without a recipient: the visitor chooses whom to tell."""
    return mailto("", subject, body)


# Posts and messages


def x_post(text: str, url: str | None = None) -> str:
    """Return X's post composer. Documented: docs.x.com, "Post button", "Web intent"."""
    link = f"&url={_quoted(url)}" if url else ""
    return f"https://x.com/intent/tweet?text={_quoted(text)}{link}"


def bluesky_post(text: str, url: str | None = None) -> str:
    """Return Bluesky's composer; the link stands in the text.

    Documented: docs.bsky.app, "Action Intent Links".
    """
    return f"https://bsky.app/intent/compose?text={_quoted(_with_link(text, url))}"


def threads_post(text: str, url: str | None = None) -> str:
    """Return Threads' composer; the link is its own parameter.

    Documented: developers.facebook.com, "Threads", "Web Intents" (at threads.com now, at threads.net before).
    """
    link = f"&url={_quoted(url)}" if url else ""
    return f"https://www.threads.com/intent/post?text={_quoted(text)}{link}"


def mastodon_post(instance: str, text: str, url: str | None = None) -> str:
    """Return the composer of the Mastodon server `instance`, a plain host name such as ``mastodon.social``.

    The form ``/share?text=`` is the route of Mastodon's own share page; we found it in no documentation, and
    it is in wide use. Raises `ValueError` when `instance` is anything but a host name: no scheme, port, path,
    user or IP address. Names in other scripts stand in their ASCII form, ``xn--…``.
    """
    if not _HOST.fullmatch(instance):
        raise ValueError(f"not a plain host name: {instance!r}")
    return f"https://{instance.lower()}{mastodon_path(text, url)}"


def mastodon_path(text: str, url: str | None = None) -> str:
    """Return what follows the host in the address of a Mastodon server's composer."""
    return f"/share?text={_quoted(_with_link(text, url))}"


def whatsapp(text: str, url: str | None = None) -> str:
    """Return the address that asks in WhatsApp whom to send this to.

    WhatsApp's FAQ describes "click to chat" at wa.me; the form without a number is in wide use.
    """
    return f"https://wa.me/?text={_quoted(_with_link(text, url))}"


def telegram(text: str, url: str) -> str:
    """Return Telegram's share window. Documented: core.telegram.org/widgets/share, "Custom buttons"."""
    return f"https://t.me/share/url?url={_quoted(url)}&text={_quoted(text)}"


def facebook(url: str) -> str:
    """Return Facebook's share window. It takes no words: they come from the page's own Open Graph tags.

    Facebook's present documentation describes its SDK only; this older form is in wide use.
    """
    return f"https://www.facebook.com/sharer/sharer.php?u={_quoted(url)}"


def linkedin(url: str) -> str:
    """Return LinkedIn's share window. It takes no words.

    LinkedIn documents a script only ("Share Plugin", learn.microsoft.com); this form is in wide use.
    """
    return f"https://www.linkedin.com/sharing/share-offsite/?url={_quoted(url)}"


def sms(text: str, url: str | None = None) -> str:
    """Return an ``sms:`` address that opens a text message without a recipient.

    RFC 5724 describes ``sms:`` with a number and ``?body=``. Without a number, ``?&body=`` is in no RFC but
    in wide use: iPhones have looked for the ``&``, Androids for the ``?``.
    """
    return f"sms:?&body={_quoted(_with_link(text, url))}"


# How each network counts


def graphemes(text: str) -> list[str]:
    """Return what a reader calls the characters of `text`: Unicode's extended grapheme clusters."""
    clusters: list[str] = regex.findall(r"\X", text)
    return clusters


def _links_at(text: str) -> list[tuple[int, int]]:
    """Return where X finds links, in time that grows with the length of `text`: long dotted runs have none for it.

    Long words in other scripts are passed over too: a link in one ends before it.
    """
    if not _HOST_GOES_ON.search(text):
        return []
    sparse = _DOTTED.sub(_blanked, text)
    sparse = _LONG_WORD.sub(lambda word: word[0] if word[0].isascii() else _blanked(word), sparse)
    return [(*found["indices"],) for found in extract_urls_with_indices(sparse)]


def _dotted_runs(text: str) -> list[str]:
    return [run for run in _DOTTED.findall(text) if _HOST_GOES_ON.search(run)]


def _blanked(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _links_short(text: str, only: tuple[str, ...] = ("",)) -> str:
    """Return `text` as it is counted: a link that begins with one of `only` as so many x."""
    for start, end in reversed(_links_at(text)):
        if text[start:end].lower().startswith(only):
            text = text[:start] + "x" * URL_LENGTH + text[end:]
    return text


def _most_dotted(text: str) -> int:
    """Return the most that links in long dotted runs could add to the length: each has a dot of its own."""
    return sum(URL_LENGTH * run.count(".") for run in _dotted_runs(text))


def _x_length(text: str, url: str | None) -> int:
    """Weighted characters as in X's "Counting characters": CJK and emoji 2, links 23."""
    text = unicodedata.normalize("NFC", text)
    # A comma weighs what a full stop does, and makes no link.
    words: int = parse_tweet(_links_short(text).replace(".", ",")).weightedLength
    return words + _most_dotted(text) + _appended(text, url)


def _bluesky_length(text: str, url: str | None) -> int:
    """What a reader calls characters, the link counted whole.

    Bluesky shortens the links it shows, so this may be more than its own count, never less.
    """
    return len(graphemes(_with_link(text, url)))


def _threads_length(text: str, url: str | None) -> int:
    """What a reader calls characters, the link counted whole, an emoji as its UTF-8 bytes.

    Meta publishes only "500 characters"; makers of posting tools report the bytes for its API. A count that
    is too high trims a post early, one that is too low leaves a visitor before a greyed button.
    """
    emoji = extract_emojis_with_indices(text)
    extra = sum(len(found["emoji"].encode()) - 1 for found in emoji)
    return len(graphemes(_with_link(text, url))) + extra


def _mastodon_length(text: str, url: str | None) -> int:
    """What a reader calls characters; links that begin with http(s) 23; of ``@user@host`` only ``@user``."""
    short = _without_hosts(_links_short(text, ("http://", "https://")))
    return len(graphemes(short)) + _most_dotted(text) + _appended(text, url)


def _without_hosts(text: str) -> str:
    return re.sub(r"(?<![\w@/])(@[a-zA-Z0-9_][\w.-]*)@[a-zA-Z0-9.-]+[a-zA-Z0-9]", r"\1", text, flags=re.ASCII)


def _appended(text: str, url: str | None) -> int:
    """What a link after the words adds: itself, and the space before it."""
    return (URL_LENGTH + bool(text)) if url else 0


@dataclass(frozen=True, slots=True)
class Network:
    """A network that posts can be written for.

    `limit` is how long a post may be, in what `counts` counts; `counting` names that for readers of the code:
    ``weighted``, ``graphemes`` and its two variants.
    """

    label: str
    limit: int
    counting: str
    counts: Callable[[str, str | None], int]


NETWORKS: Mapping[str, Network] = MappingProxyType(
    {
        "x": Network("X", 280, "weighted", _x_length),
        "bluesky": Network("Bluesky", 300, "graphemes", _bluesky_length),
        "mastodon": Network("Mastodon", 500, "graphemes, links 23", _mastodon_length),
        "threads": Network("Threads", 500, "graphemes, emoji in bytes", _threads_length),
    }
)
"""Where posts go and how each counts.

Sources: docs.x.com "Counting characters" (280); docs.bsky.app "Action Intent Links" (300 grapheme clusters);
docs.joinmastodon.org "Posting to your profile" (500 by default, a server may allow more; links 23, no hosts
of mentions); the limit of Threads, 500, is Meta's.
"""

NAMES: Mapping[str, str] = {
    **{channel: network.label for channel, network in NETWORKS.items()},
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "facebook": "Facebook",
    "linkedin": "LinkedIn",
}
"""What networks call themselves, in every language."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How long a post is on one network, in that network's own count."""

    network: str
    label: str
    length: int
    limit: int

    @property
    def fits(self) -> bool:
        """Say whether the network takes the post as it is."""
        return self.length <= self.limit


def measure(network: str, text: str, url: str | None = None) -> Measure:
    """Return how long `text`, with `url` after it, is on `network`.

    Raises `LookupError` for a network that is not in `NETWORKS`.
    """
    known = NETWORKS[network]
    length = known.counts(_LINE_BREAK.sub("\n", _whole(text)), url)
    return Measure(network, known.label, length, known.limit)


# Words that fit, and call on nobody


def cut(text: str, fits: Callable[[str], bool]) -> str:
    """Return `text`, or as much of its beginning as `fits`, with an ellipsis after the last whole word.

    A text whose first word alone is too long, or that is written without spaces, is cut between characters as
    a reader sees them. Empty when nothing fits.
    """
    if fits(text):
        return text
    characters = graphemes(text)
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


def email_words(words: str, url: str) -> str:
    """Return a `mailto` address without a recipient: the words, which begin the subject too, a blank line, the link."""
    subject = cut(" ".join(words.split()), lambda part: len(graphemes(part)) <= SUBJECT_LENGTH)
    return email_share(subject, f"{words}\n\n{url}" if words else url)


def plain_words(text: str) -> str:
    """Return `text`, to be read as before, with nothing in it that a network would make a mention or a link of.

    A WORD JOINER, which shows nothing, goes between an @ and the name, after a scheme's colon, and before each further
    part of a host. Hashtags stay what they are.
    """
    return _SMUGGLED.sub(WORD_JOINER, text)


# What X would make of a text


def links_in(text: str) -> list[str]:
    """Return what X would make a link of, as it is written: whole addresses, and hosts such as example.org.

    A run of letters with many dots is taken for one, whatever X would make of it.
    """
    return _dotted_runs(text) + [text[start:end] for start, end in _links_at(text)]


def without_links(text: str) -> str:
    """Return `text` without what X would make a link of, as `links_in` finds it."""
    for start, end in reversed(_links_at(text)):
        text = text[:start] + text[end:]
    return _DOTTED.sub(lambda run: "" if _HOST_GOES_ON.search(run[0]) else run[0], text)


def mentions_in(text: str) -> list[str]:
    """Return the names that X would tell of a post with this text, without the @."""
    return _MENTION.findall(text)
