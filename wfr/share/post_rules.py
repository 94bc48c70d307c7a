"""What a campaign post says on X, word for word, and what keeps it from being said."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l

from wfr import intents
from wfr.cases.models import Case, Standing
from wfr.extensions import settings
from wfr.share.codes import ShareCode
from wfr.share.linking import link_url
from wfr.share.models import CampaignPost, LinkPlace
from wfr.share.x import LONGEST_ALT
from wfr.text import source_tags, without_sources

CHANNEL = "campaign"


def link_of(post: CampaignPost, case: Case | None) -> str:
    """Return the post's own address: its share link, or, of a post about the season, the home page."""
    return f"{settings().base_url}/" if case is None else link_url(case, CHANNEL, post.sharer)


def mark_of(post: CampaignPost) -> str | None:
    """Return the part of its own link that no other post has, or None where there is no such link."""
    return f"/s/{ShareCode(post.case_id, CHANNEL, post.sharer).text}" if post.case_id is not None else None


def text_of(post: CampaignPost, case: Case | None) -> str:
    """Return the whole post, its link included where it stands there."""
    return _with_link(post.words, link_of(post, case) if post.link_in == LinkPlace.POST else None)


def reply_of(post: CampaignPost, case: Case | None) -> str | None:
    """Return the whole first reply, or None where there is none."""
    return _with_link(post.reply_words, link_of(post, case)) if post.link_in == LinkPlace.REPLY else None


def _with_link(words: str, link: str | None) -> str:
    return " ".join(part for part in (words, link) if part)


def measure_post(post: CampaignPost, case: Case | None) -> intents.Measure:
    """Return how long the post is, as X counts."""
    return intents.measure("x", post.words, link_of(post, case) if post.link_in == LinkPlace.POST else None)


def measure_reply(post: CampaignPost, case: Case | None) -> intents.Measure | None:
    """Return how long the first reply is, as X counts, or None where there is none."""
    return intents.measure("x", post.reply_words, link_of(post, case)) if post.link_in == LinkPlace.REPLY else None


def case_problem(case: Case | None, day: date) -> str | None:
    """Return in a word why nothing may be posted of a case on `day`, or None where all is well.

    The word is ``withdrawn``, ``consent`` (it does not cover X, or has ended) or ``standing`` (paused, closed, past its
    deadline, or nobody sees it yet).
    """
    if case is None:
        return None
    if case.standing(day) is Standing.WITHDRAWN:
        return "withdrawn"
    if not (case.on_x and case.agreed(day)):
        return "consent"
    visible = case.status == "published" and case.standing(day) in (Standing.OPEN, Standing.COMING)
    return None if visible else "standing"


CASE_WORDS = {
    "withdrawn": _l("The case is withdrawn: nothing is posted about it."),
    "consent": _l("The consent does not cover posts on X, or has ended."),
    "standing": _l("The case is not open with visitors now: it is paused, closed, over, or not public yet."),
}


def word_problems(post: CampaignPost, case: Case | None) -> list[object]:
    """Return, in words, everything about the post itself that must be mended before it can go out."""
    problems: list[object] = []
    if not post.words.strip():
        problems.append(_l("The post says nothing yet."))
    for what, measure in ((_l("post"), measure_post(post, case)), (_l("reply"), measure_reply(post, case))):
        if measure and not measure.fits:
            over = measure.length - measure.limit
            problems.append(
                _l("The %(what)s is %(over)s too long: %(length)s of %(limit)s, as X counts.",
                   what=what, over=over, length=measure.length, limit=measure.limit)
            )  # fmt: skip
    words = f"{post.words}\n{post.reply_words if post.link_in == LinkPlace.REPLY else ''}"
    problems += [
        _l("Take out [%(source)s]: visitors never see the names of our sources.", source=source)
        for source in source_tags(words)
    ]
    problems += [
        _l("Take out the address %(link)s: the post’s own link is added by itself.", link=link)
        for link in intents.links_in(words)
    ]
    known = {handle.lower() for handle in handles_of(case)}
    problems += [
        _l("Take out @%(handle)s: a post names only those that the case’s own page speaks to.", handle=handle)
        for handle in intents.mentions_in(words)
        if handle.lower() not in known
    ]
    return problems + _card_problems(post)


def _card_problems(post: CampaignPost) -> list[object]:
    if post.card and not post.card_alt.strip():
        return [_l("Say what the picture shows, for who cannot see it.")]
    if post.card and len(post.card_alt) > LONGEST_ALT:
        return [_l("The picture’s description has more than %(limit)s characters.", limit=LONGEST_ALT)]
    return []


def handles_of(case: Case | None) -> list[str]:
    """Return the names on X that a post about a case may mention: those of its targets, without the @."""
    targets = case.targets if case is not None else []
    return [target.x_handle.lstrip("@") for target in targets if target.x_handle]


def problems_of(post: CampaignPost, case: Case | None, day: date) -> list[object]:
    """Return, in words, everything that keeps the post from going out on `day`; empty when nothing does."""
    word = case_problem(case, day)
    return [*([CASE_WORDS[word]] if word else []), *word_problems(post, case)]


def first_words(case: Case | None, language: str) -> str:
    """Return what a new post begins with: what visitors are given for X, or the case's headline."""
    if case is None or not case.texts:
        return ""
    text = case.text(language)
    return without_sources(text.share.get("x") or text.share.get("any") or f"{case.name}: {text.headline}")
