"""The Atom feed (RFC 4287): cases and their news, newest first, as far as their consent covers feeds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET

from flask_babel import format_date
from flask_babel import gettext as _
from markupsafe import escape

from wfr.cases.models import Case, CaseText, CaseUpdate, UpdateKind
from wfr.cases.queries import Shelf
from wfr.text import render_markdown, without_sources

MEDIA_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"
ENTRIES = 50
"""How many entries a feed has at most."""

NAMES = UUID("6f4c7d0e-2b1f-5d0a-9c53-0a1d7e5b8f42")
"""What the identities below are derived from. Another value would make every reader show every entry again."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Masthead:
    """What a feed, `name`, says of itself: `url` is the page it belongs to, `own_url` its own address."""

    title: str
    author: str
    url: str
    own_url: str
    language: str
    name: str = "feed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: plain `title` and `summary`, safe HTML as `content`, and the day it speaks of."""

    identity: str
    title: str
    url: str
    dated: date
    content: str
    summary: str = ""


def identity(*parts: object) -> str:
    """Return a URN for what `parts` name. It stays when the site moves, or when a case is taken over by another."""
    return uuid5(NAMES, "\n".join(map(str, parts))).urn


def entries_of(
    seen: Shelf, today: date, language: str, url_of: Callable[[Case], str], first_days: Mapping[int, date]
) -> list[Entry]:
    """Return the newest entries of what others may be shown: cases from their first day on, and their news.

    `first_days` has, by id, the day on which cases without a season were first issued.
    """
    entries: list[Entry] = []
    for case in seen.cases.values():
        if case.for_feeds(today):
            entries.append(_case_entry(case, language, url_of(case), first_days.get(case.id)))
            entries += _news_entries(case, language, url_of(case))
    begun = [entry for entry in entries if entry.dated <= today]
    return sorted(begun, key=lambda entry: entry.dated, reverse=True)[:ENTRIES]


def _case_entry(case: Case, language: str, url: str, issued: date | None) -> Entry:
    text = case.text(language)
    return Entry(
        identity=identity("case", case.slug),
        title=case.name,
        url=url,
        dated=issued or _first_day(case),
        summary=text.headline,
        content="".join((*_beforehand(case, text), render_markdown(text.summary), render_markdown(text.story))),
    )


def _beforehand(case: Case, text: CaseText) -> Iterator[str]:
    """Give what must be said before a story is told, as the case's page does: how old it is, what is hard in it."""
    if case.as_it_stood:
        yield f"<p><em>{escape(_('As it stood in %(month)s', month=format_date(case.as_it_stood, 'MMMM y')))}</em></p>"
    if text.content_note:
        yield f"<p><em>{escape(without_sources(text.content_note))}</em></p>"


def _first_day(case: Case) -> date:
    if case.season:
        return case.season.opens
    return case.status_at.date() if case.status_at else case.as_it_stood or date(1970, 1, 1)


def _news_entries(case: Case, language: str, url: str) -> Iterator[Entry]:
    # News has no id that lasts: publishing writes all of it anew. Its day and its place on that day stay.
    that_day: Counter[date] = Counter()
    for update in sorted(case.updates_in(language), key=lambda update: (update.dated, update.id)):
        that_day[update.dated] += 1
        when = f"<p>{escape(update.dated_as)}</p>" if update.dated_as else ""
        yield Entry(
            identity=identity("news", case.slug, update.language, update.dated, that_day[update.dated]),
            title=_title(case, update),
            url=url,
            dated=update.dated,
            content=f"{when}{render_markdown(update.text)}",
        )


def _title(case: Case, update: CaseUpdate) -> str:
    words = {
        UpdateKind.GOOD_NEWS.value: _("Good news: %(name)s", name=case.name),
        UpdateKind.OUTCOME.value: _("Outcome: %(name)s", name=case.name),
    }
    return str(words.get(update.kind) or _("News: %(name)s", name=case.name))


def atom_feed(masthead: Masthead, entries: Sequence[Entry]) -> bytes:
    """Return a feed as an XML document in UTF-8. The time of an entry is the beginning of its day in UTC."""
    feed = ET.Element("feed", {"xmlns": NAMESPACE, "xml:lang": masthead.language})
    _add(feed, "id", identity(masthead.name, masthead.author))
    _add(feed, "title", masthead.title)
    _add(feed, "updated", _time(max((entry.dated for entry in entries), default=date(1970, 1, 1))))
    ET.SubElement(feed, "link", rel="self", type=MEDIA_TYPE, href=masthead.own_url)
    ET.SubElement(feed, "link", rel="alternate", type="text/html", href=masthead.url)
    _add(ET.SubElement(feed, "author"), "name", masthead.author)
    for entry in entries:
        _add_entry(feed, entry)
    document: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def _add_entry(feed: ET.Element, entry: Entry) -> None:
    element = ET.SubElement(feed, "entry")
    _add(element, "id", entry.identity)
    _add(element, "title", entry.title)
    ET.SubElement(element, "link", rel="alternate", type="text/html", href=entry.url)
    _add(element, "published", _time(entry.dated))
    _add(element, "updated", _time(entry.dated))
    if entry.summary:
        _add(element, "summary", without_sources(entry.summary))
    _add(element, "content", entry.content, type="html")


def _add(parent: ET.Element, name: str, words: str, **attributes: str) -> None:
    # A control character in a text would make the whole feed unreadable.
    ET.SubElement(parent, name, attributes).text = _NOT_IN_XML.sub("", words)


def _time(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
