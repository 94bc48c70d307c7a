"""The words with which visitors pass a case on: where they stand, how long they are there, what they may hold.

Each channel adds the case's link by itself, last, so the words hold no address, and call on no account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from flask_babel import lazy_gettext as _l

from wfr import intents
from wfr.cases.placeholders import BRACES
from wfr.extensions import settings
from wfr.text import SOURCE_TAG


class SharedOn(StrEnum):
    """Where words stand: on one channel of `wfr.intents.CHANNELS`, or, `ANY`, on each that has none of its own."""

    ANY = "any"
    X = "x"
    BLUESKY = "bluesky"
    MASTODON = "mastodon"
    THREADS = "threads"
    WHATSAPP = "whatsapp"
    TELEGRAM = "telegram"
    EMAIL = "email"
    SMS = "sms"


SHARED_ON_WORDS: dict[SharedOn, object] = {
    SharedOn.ANY: _l("Every channel"),
    **{channel: intents.NAMES[channel] for channel in SharedOn if channel in intents.NAMES},
    SharedOn.EMAIL: _l("E-mail"),
    SharedOn.SMS: _l("Text message"),
}

LONGEST = 1_000
"""Characters of the words for one channel: what a visitor who changes them first may write too."""

COUNTED = (*map(SharedOn, intents.NETWORKS), SharedOn.EMAIL)
"""The channels that take no more than so much."""

_MENTION = re.compile(r"[@\uff20]\w[\w.-]*")
# The letters of a top-level domain are ASCII here; what gets past this is made harmless when it is shared.
_ADDRESS = re.compile(
    r"\w+://\S*|(?<![\w.@-])(?:[^\W_](?:[\w-]*[^\W_])?\.)+[a-z]{2,63}(?![\w-])", re.IGNORECASE | re.ASCII
)


def in_order(words: Mapping[SharedOn, str]) -> dict[SharedOn, str]:
    """Return the words that say something, in the order in which the desk shows the channels."""
    return {channel: words[channel] for channel in SharedOn if words.get(channel)}


def measure_share_words(words: Mapping[SharedOn, str]) -> dict[SharedOn, list[intents.Measure]]:
    """Return, for the words that somebody wrote, how long they are with a link on each channel that counts.

    Under `ANY` stands every channel that has no words of its own. Channels that count nothing are left out.
    """
    found: dict[SharedOn, list[intents.Measure]] = {}
    for channel in COUNTED:
        source = channel if words.get(channel) else SharedOn.ANY
        if words.get(source):
            found.setdefault(source, []).append(_measure(channel, words[source]))
    return found


def share_word_problems(words: Mapping[SharedOn, str]) -> Iterator[tuple[SharedOn, object]]:
    """Yield what must be mended before anybody can review the words: where, and what to do."""
    measured = measure_share_words(words)
    for channel, said in in_order(words).items():
        long = [measure for measure in measured.get(channel, ()) if not measure.fits]
        if long:
            yield channel, _too_long(channel, long)
        yield from ((channel, problem) for problem in _held(said))


def _measure(channel: SharedOn, words: str) -> intents.Measure:
    link = f"{settings().base_url}/s/{'x' * intents.SHARE_CODE_LENGTH}"
    # As visitors pass them on, or what fits here would be cut there.
    plain = intents.plain_words(words)
    if channel is not SharedOn.EMAIL:
        return intents.measure(channel.value, plain, link)
    # What counts is the whole address that opens a mail program, its subject, the beginning of the words, included.
    length = len(intents.email_words(plain, link))
    return intents.Measure(channel.value, str(SHARED_ON_WORDS[channel]), length, intents.MAILTO_LIMIT)


def _too_long(channel: SharedOn, long: list[intents.Measure]) -> object:
    over = ", ".join(
        str(_l("%(network)s by %(over)s", network=measure.label, over=measure.length - measure.limit))
        for measure in long
    )
    if channel is SharedOn.ANY:
        return _l("Too long with the link: %(over)s. Shorten them, or write shorter ones for that channel.", over=over)
    return _l("Too long with the link: %(over)s. Shorten them.", over=over)


def _held(words: str) -> Iterator[object]:
    mention, address = _MENTION.search(words), _ADDRESS.search(words)
    unfilled = BRACES.search(words) or SOURCE_TAG.search(words)
    if mention:
        yield _l("“%(name)s” would call on an account. Write the name without the @.", name=mention[0])
    if address:
        yield _l(
            "“%(address)s” would become a link. Take it out: the case’s link is added by itself. "
            "If it is no address, put a space after the full stop.",
            address=address[0],
        )
    if unfilled:
        yield _l("“%(mark)s” would be shared as it stands: nothing is filled in here. Take it out.", mark=unfilled[0])
