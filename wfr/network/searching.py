"""Searching what was issued: the words of an issue as they are kept to be searched, and the archive's pages."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, extract, func, or_, select
from sqlalchemy.orm import defer

from wfr.cases.documents import CaseDocument
from wfr.cases.models import Case, CaseStatus
from wfr.cases.placeholders import BRACES
from wfr.countries import country_name
from wfr.extensions import db, kept
from wfr.network.interests import CONCERN_WORDS, Concern
from wfr.network.models import UrgentAction, UrgentIssue
from wfr.pages import SHELF_SECONDS
from wfr.text import without_sources

Ts = TypeVarTuple("Ts")

PER_PAGE = 30
MOST_WORDS, LONGEST_SEARCH = 8, 100
ESCAPE = "\\"


def folded(text: str) -> str:
    """Return `text` as it is searched: in lower case and without accents, in which visitors differ."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


def words_of(document: CaseDocument, action: UrgentAction, issue: UrgentIssue) -> str:
    """Return everything an issue says, in all its languages, as it is searched."""
    return folded("\n".join(filter(None, _words(document, action, issue))))


def _words(document: CaseDocument, action: UrgentAction, issue: UrgentIssue) -> Iterator[str]:
    yield from (document.name, action.number, issue.index_number, str(CONCERN_WORDS[Concern(action.concern)]))
    yield from (country_name(document.country, language) for language in {"en", *document.texts})
    for text in document.texts.values():
        yield from map(without_sources, (text.headline, text.summary, text.story, text.ask))
        yield BRACES.sub(" ", text.letter)
    for target in document.targets:
        yield from (target.office, target.name or "")
    yield from (without_sources(update.text) for update in document.updates)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for in the archive; what is None or empty leaves everything in."""

    year: int | None = None
    country: str = ""
    concern: str = ""
    words: str = ""
    page: int = 1

    def query(self, **changes: Any) -> dict[str, Any]:
        """Return it as the query of an address, with these `changes`."""
        given = {
            "year": self.year,
            "country": self.country,
            "concern": self.concern,
            "q": self.words,
            "page": self.page if self.page > 1 else None,
        }
        return {name: value for name, value in {**given, **changes}.items() if value}


@dataclass(frozen=True, slots=True)
class Found:
    """One issue in the archive, with its Urgent Action and case. `newest` says that no later one was issued."""

    issue: UrgentIssue
    action: UrgentAction
    case: Case
    newest: bool


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """A page of the archive, newest first, and how many issues there are on all `pages`."""

    found: list[Found]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Offered:
    """What the archive can be narrowed by: the years, countries and concerns of what is in it."""

    years: list[int] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    concerns: list[str] = field(default_factory=list)


def archive(wanted: Wanted) -> ArchivePage:
    """Return a page of what was issued; one after the last is the last. Nothing of a withdrawn case is in it."""
    matching = _narrowed(select(UrgentIssue.id), wanted)
    total = db.session.scalar(select(func.count()).select_from(matching.subquery())) or 0
    pages = max(-(-total // PER_PAGE), 1)
    number = min(max(wanted.page, 1), pages)
    last = select(func.max(UrgentIssue.ordinal)).where(
        UrgentIssue.action_id == UrgentAction.id, UrgentIssue.issued_at.is_not(None)
    )
    rows = db.session.execute(
        _narrowed(select(UrgentIssue, UrgentAction, Case, last.correlate(UrgentAction).scalar_subquery()), wanted)
        .options(defer(UrgentIssue.document), defer(UrgentIssue.words))
        .order_by(UrgentIssue.issued_at.desc(), UrgentIssue.id.desc())
        .limit(PER_PAGE)
        .offset((number - 1) * PER_PAGE)
    )
    found = [Found(issue, action, case, issue.ordinal == newest) for issue, action, case, newest in rows]
    return ArchivePage(found, number, pages, total)


def offered() -> Offered:
    """Return what the archive can be narrowed by, a moment old at most."""
    return kept().get("archive", SHELF_SECONDS, _read_offered)


def _read_offered() -> Offered:
    seen = select(extract("year", UrgentIssue.issued_on), Case.country, UrgentAction.concern).distinct()
    with db.session.session_factory() as session:
        rows = session.execute(_issued(seen)).all()
    years, countries, concerns = (set(column) for column in zip(*rows, strict=True)) if rows else (set(),) * 3
    return Offered(sorted(map(int, years), reverse=True), sorted(countries), sorted(concerns))


def _issued(query: Select[*Ts]) -> Select[*Ts]:
    """Narrow a query to what was issued of cases that visitors may read about."""
    return (
        query.join_from(UrgentIssue, UrgentAction, UrgentAction.id == UrgentIssue.action_id)
        .join(Case, Case.id == UrgentAction.case_id)
        .where(
            UrgentIssue.issued_at.is_not(None),
            Case.status.in_((CaseStatus.PUBLISHED, CaseStatus.PAUSED, CaseStatus.CLOSED)),
        )
    )


def _narrowed(query: Select[*Ts], wanted: Wanted) -> Select[*Ts]:
    query = _issued(query)
    if wanted.year:
        query = query.where(UrgentIssue.issued_on.between(date(wanted.year, 1, 1), date(wanted.year, 12, 31)))
    if wanted.country:
        query = query.where(Case.country == wanted.country)
    if wanted.concern:
        query = query.where(UrgentAction.concern == wanted.concern)
    for word in folded(wanted.words[:LONGEST_SEARCH]).split()[:MOST_WORDS]:
        query = query.where(_has(word))
    return query


def _has(word: str) -> ColumnElement[bool]:
    """Ask for a word among an issue's own, or in its numbers and the case's present name.

    An issue that names the person otherwise than the case does now is not found by its own: the name may be withheld.
    """
    own = UrgentIssue.words.contains(word, autoescape=True, escape=ESCAPE)
    named_as_now = UrgentIssue.document["name"].as_string() == Case.name
    present = func.lower(UrgentAction.number + " " + UrgentIssue.index_number + " " + Case.name)
    return or_(and_(own, named_as_now), present.contains(word, autoescape=True, escape=ESCAPE))
