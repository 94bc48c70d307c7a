"""What the public JSON says of seasons, cases, news and numbers, put together from values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from flask import request, url_for

from wfr.api.reading import Breakdown, case_breakdown, world_breakdown
from wfr.cases.models import Case, CaseUpdate, Season
from wfr.cases.queries import Shelf, today
from wfr.countries import country_name
from wfr.extensions import settings
from wfr.pages import language
from wfr.pledges.queries import Board
from wfr.pledges.tallying import Count, Figures
from wfr.share.cards import card_of
from wfr.text import without_sources

Shown = dict[str, Any]
Item = TypeVar("Item")


def whole_url(endpoint: str, **values: Any) -> str:
    """Return the whole address of a page of this site, as visitors find it."""
    return f"{settings().base_url}{url_for(endpoint, **values)}"


def shown_season(season: Season, seen: Shelf) -> Shown:
    """Return a season as the public JSON has it."""
    names = ("slug", "name", "opens", "closes", "key_date", "reports_due", "goal")
    values = {name: getattr(season, name) for name in names}
    return {**values, "state": season.state(today()).value, "demonstration": seen.demonstration}


def shown_case(case: Case) -> Shown:
    """Return a case in short."""
    text = case.text(language())
    return {
        "slug": case.slug,
        "name": case.name,
        "country": case.country,
        "country_name": country_name(case.country, language()),
        "season": case.season.slug if case.season else None,
        "standing": case.standing(today()).value,
        "deadline": case.deadline,
        "kinds": list(case.kinds),
        "as_it_stood": case.as_it_stood,
        "language": text.language,
        "headline": without_sources(text.headline),
        "summary": without_sources(text.summary),
        "url": whole_url("cases.case", slug=case.slug),
        "card": card_of(case, language()).url,
    }


def shown_case_in_full(case: Case) -> Shown:
    """Return a case with its words and its news."""
    text = case.text(language())
    news = sorted(case.updates_in(language()), key=lambda update: (update.dated, update.id), reverse=True)
    return {
        **shown_case(case),
        "story": without_sources(text.story),
        "ask": without_sources(text.ask),
        "content_note": text.content_note and without_sources(text.content_note),
        "updates": [shown_update(update, case) for update in news],
    }


def shown_update(update: CaseUpdate, case: Case) -> Shown:
    """Return a piece of news with its case's slug."""
    names = ("kind", "dated", "dated_as", "language")
    values = {name: getattr(update, name) for name in names}
    return {**values, "case": case.slug, "text": without_sources(update.text)}


def shown_page(items: Sequence[Item], paging: dict[str, int], show: Callable[[Item], Shown]) -> Shown:
    """Return the part of `items` that was asked for, how many there are, and where the next ones are."""
    limit, offset = paging["limit"], paging["offset"]
    after = offset + limit
    more = whole_url(request.endpoint or "", limit=limit, offset=after) if after < len(items) else None
    shown = [show(item) for item in items[offset:after]]
    return {"items": shown, "total": len(items), "limit": limit, "offset": offset, "next": more}


def shown_tally(tally: Board, cases: Sequence[Case]) -> Shown:
    """Return the tally of the whole site and, by kind, of the listed `cases`."""
    return {
        "as_of": _moment(tally.as_of),
        "total": _breakdown(world_breakdown(tally, cases)),
        "cases": [{"case": case.slug, **_figures(tally.of(case))} for case in cases],
        "corrections": tally.corrections,
        "parcels": tally.parcels,
    }


def shown_case_tally(tally: Board, case: Case) -> Shown:
    """Return the tally of one case, and what can be done about it."""
    shown = {"as_of": _moment(tally.as_of), "case": case.slug, "standing": case.standing(today()).value}
    return {**shown, **_breakdown(case_breakdown(tally, case))}


def _breakdown(found: Breakdown) -> Shown:
    named = [{"country": code, "pledged": number} for code, number in found.countries.items()]
    return {**_figures(found.figures), "countries": named, "other_countries": {"pledged": found.elsewhere}}


def _figures(figures: Figures) -> Shown:
    return {**_count(figures), "kinds": {kind: _count(count) for kind, count in figures.kinds.items()}}


def _count(count: Count) -> Shown:
    return {"pledged": count.pledged, "taken": count.taken, "simulated": count.simulated}


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
