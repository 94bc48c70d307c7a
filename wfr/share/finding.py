"""Whether a post went out: it is looked for among what the account has posted, before anything is tried again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from wfr import intents
from wfr.cases.models import Case
from wfr.share.models import CampaignPost, LinkPlace
from wfr.share.post_rules import mark_of, reply_of, text_of
from wfr.share.x import Found

_SHORTENED = re.compile(r"https?://t\.co/\w+")


def matches(post: CampaignPost, case: Case | None, posted: Iterable[Found]) -> list[str]:
    """Return the ids at X of what can only be this post; once it is out, of what can only be its reply.

    What carries the post's own share link is known by it, everything else by its words.
    """
    mark = mark_of(post)
    if post.x_id is not None:
        wanted, by_link = reply_of(post, case) or "", True
        there = [found for found in posted if found.in_reply_to == post.x_id]
    else:
        wanted, by_link = text_of(post, case), post.link_in == LinkPlace.POST
        there = [found for found in posted if found.in_reply_to is None]
    if by_link and mark is not None:
        return [found.id for found in there if any(link.endswith(mark) for link in found.links)]
    return [found.id for found in there if _same_words(wanted, found.text)]


def _same_words(ours: str, theirs: str) -> bool:
    """Say whether X's copy of a text is ours: for each link and each picture it has an address of its own."""
    return _bare(ours) == _bare(theirs)


def _bare(text: str) -> str:
    without_links = intents.without_links(_SHORTENED.sub(" ", unicodedata.normalize("NFC", text)))
    return " ".join(without_links.split())
