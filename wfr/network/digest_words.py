"""The words of a digest, as Markdown for the desk to edit: whom to write for, what is new, one way to help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from flask_babel import gettext as _

from wfr.cases.models import Case, CaseUpdate, Story
from wfr.countries import country_name
from wfr.extensions import settings
from wfr.letters.addressing import written_date
from wfr.network.composing import address_of, as_it_stood, day_of, frame_language, short_subject
from wfr.network.models import Sort
from wfr.network.plain import escape_markdown
from wfr.text import without_sources

NAMED_IN_SUBJECT = 2

Happening = tuple[Case, CaseUpdate]
"""An update, with the case that it is news of."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What a digest tells, in one language.

    `to_write_for` are the cases that can be written for, the most urgent first; `happened` is what happened since the
    digest before, the newest first; `good` is one good news, or else there is a `story` of what letters did. `turn`
    counts digests, so that the ways to help take turns.
    """

    sort: Sort
    day: date
    turn: int
    to_write_for: tuple[Case, ...]
    happened: tuple[Happening, ...]
    good: Happening | None
    story: Story | None

    @property
    def says_something(self) -> bool:
        """Whether there is anything to write for or to hear of; one good news alone makes a month's mail, no week's."""
        return bool(self.to_write_for or self.happened or (self.sort == Sort.MONTHLY and (self.good or self.story)))

    @property
    def cases(self) -> set[int]:
        """The ids of all cases that are named."""
        told = (*self.happened, *((self.good,) if self.good else ()))
        return {case.id for case in self.to_write_for} | {case.id for case, _update in told}


def digest_subject(digest: Digest, language: str) -> str:
    """Return the subject of a digest; the caller has set the locale."""
    if digest.sort == Sort.MONTHLY:
        month = format_date(digest.day, "LLLL y", locale=frame_language(language).replace("-", "_"))
        return short_subject(_("%(month)s: whom you can write for now", month=month))
    names = ", ".join(case.name for case in digest.to_write_for[:NAMED_IN_SUBJECT])
    if not names:
        return short_subject(_("This week: news of people you wrote for"))
    if len(digest.to_write_for) > NAMED_IN_SUBJECT:
        names = _("%(names)s and others", names=names)
    return short_subject(_("Write this week: %(names)s", names=names))


def digest_words(digest: Digest, language: str) -> str:
    """Return the words of a digest as Markdown; the caller has set the locale."""
    return "\n\n".join(_parts(digest, language)) + "\n"


def _parts(digest: Digest, language: str) -> Iterator[str]:
    frame = frame_language(language)
    newest = {case.id: _newest(case, language, digest.day) for case in digest.to_write_for}
    if digest.to_write_for:
        yield f"## {_('Write for them now')}"
        yield from (_appeal(case, newest[case.id], language) for case in digest.to_write_for)
    happened = [(case, update) for case, update in digest.happened if update is not newest.get(case.id)]
    if happened:
        yield f"## {_('What is new')}"
        yield from (_told(happening, frame) for happening in happened)
    if digest.good:
        yield f"## {_('Good news')}"
        yield _told(digest.good, frame)
    elif digest.story:
        yield f"## {_('What letters did')}"
        yield _story(digest.story)
    yield f"## {_('One more way to help')}"
    ways = _ways()
    yield ways[digest.turn % len(ways)]


def _newest(case: Case, language: str, day: date) -> CaseUpdate | None:
    """Return what is newer than a case's own words, where those are old."""
    stood = case.as_it_stood
    newer = [update for update in case.updates_in(language) if stood and stood < update.dated <= day]
    return max(newer, key=lambda update: update.dated, default=None)


def _appeal(case: Case, newest: CaseUpdate | None, language: str) -> str:
    frame = frame_language(language)
    end = _("Write before %(day)s.", day=written_date(case.deadline, frame)) if case.deadline else ""
    if newest is not None:
        return f"{_told((case, newest), frame)}\n\n{end}".strip()
    text = case.text(language)
    headline = escape_markdown(without_sources(text.headline))
    lines = (_name(case, frame), escape_markdown(as_it_stood(case, frame)), headline, end)
    # Words in another language are a paragraph of their own, which may run the other way.
    return ("\\\n" if text.language == frame else "\n\n").join(line for line in lines if line)


def _told(happening: Happening, frame: str) -> str:
    case, update = happening
    day = escape_markdown(day_of(case, update, frame))
    return f"{_name(case, frame)}\\\n{day}\n\n{without_sources(update.text).strip()}"


def _story(story: Story) -> str:
    address = f"{settings().base_url}/stories"
    return f"**[{escape_markdown(story.title)}]({address})**\\\n{escape_markdown(without_sources(story.summary))}"


def _name(case: Case, frame: str) -> str:
    return f"**[{escape_markdown(case.name)}]({address_of(case)})**, {country_name(case.country, frame)}"


def _ways() -> tuple[str, ...]:
    """Return the ways to help that take turns."""
    base = settings().base_url
    return (
        _(
            "Bring a class: lessons, tasks and letters to print are in the [schools’ pack](%(page)s).",
            page=f"{base}/schools",
        ),
        _(
            "Give one friend the address of the network, where anybody can join: [%(page)s](%(page)s)",
            page=f"{base}/network",
        ),
        _(
            "Send hope, too: a card to somebody in prison says that she is not forgotten. [Choose somebody](%(page)s).",
            page=base,
        ),
        _(
            "Write several letters in one evening, and invite your neighbours: [all at one table](%(page)s).",
            page=f"{base}/several",
        ),
    )
