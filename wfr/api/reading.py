"""What others may read: the cases whose consent covers other sites, their news, and the tally by kind and country."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select

from wfr.cases.models import Case, CaseUpdate, Standing
from wfr.cases.queries import shelf, today
from wfr.errors import NoSuchThing, NotPossibleNow
from wfr.extensions import db, kept
from wfr.pledges.models import TallyCount
from wfr.pledges.queries import Board
from wfr.pledges.tallying import Figures

FEWEST_NAMED = 10
"""How many actions for a case a country must have to be named there, and the step in which they are told: of fewer,
somebody could tell who wrote."""

COUNTRY_SECONDS = 3600.0
"""How long the countries stay as they were read: who watches one action arrive must not see where it came from."""


def listed_cases() -> list[Case]:
    """Return the cases that other sites may show, in the desk's order."""
    return [case for case in shelf().cases.values() if case.for_feeds(today())]


def listed_case(slug: str) -> Case:
    """Return the case at this address as other sites may show it.

    Raises `NotPossibleNow` when it was withdrawn, and `NoSuchThing` while other sites may not show it.
    """
    case = shelf().case(slug)
    if case.standing(today()) is Standing.WITHDRAWN:
        raise NotPossibleNow("withdrawn")
    if not case.for_feeds(today()):
        raise NoSuchThing(slug)
    return case


def listed_updates(language: str) -> list[tuple[CaseUpdate, Case]]:
    """Return the news of all listed cases in `language`, each with its case, the newest first."""
    found = [(update, case) for case in listed_cases() for update in case.updates_in(language)]
    return sorted(found, key=lambda pair: (pair[0].dated, pair[0].id), reverse=True)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Figures by kind, and how many actions at least come from each country that is named (ISO 3166-1 alpha-2)."""

    figures: Figures
    countries: dict[str, int]

    @property
    def elsewhere(self) -> int:
        """Return how many actions are left, so that all countries together are the whole."""
        return self.figures.pledged - sum(self.countries.values())


def case_breakdown(tally: Board, case: Case) -> Breakdown:
    """Return the figures of one case, and the countries named in it."""
    figures, countries = tally.of(case), _named_countries().get(case.id, {})
    # Fewer may be left than when the countries were read.
    return Breakdown(figures, countries if sum(countries.values()) <= figures.pledged else {})


def world_breakdown(tally: Board, cases: Iterable[Case]) -> Breakdown:
    """Return the figures of the whole site, and of the countries no more than the tables of these `cases` say.

    A country's other actions would tell, next to those tables, where somebody is who wrote for one of the rest.
    """
    countries = Counter[str]()
    for case in cases:
        countries.update(case_breakdown(tally, case).countries)
    return Breakdown(tally.world, dict(sorted(countries.items())))


def _named_countries() -> dict[int, dict[str, int]]:
    """Return each case's countries by its id, in whole steps, read at most every `COUNTRY_SECONDS`."""
    return kept().get("countries", COUNTRY_SECONDS, _read_countries)


def _read_countries() -> dict[int, dict[str, int]]:
    key, found = (TallyCount.case_id, TallyCount.country), dict[int, dict[str, int]]()
    with db.session.session_factory() as session:
        for case_id, country, pledged in session.execute(
            select(*key, func.sum(TallyCount.pledged)).group_by(*key).order_by(*key)
        ):
            if pledged >= FEWEST_NAMED:
                found.setdefault(case_id, {})[country] = int(pledged) // FEWEST_NAMED * FEWEST_NAMED
    return found
