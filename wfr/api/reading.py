"""What others may read: the cases whose consent covers other sites, their news, and the tally by kind and country."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import func, select

from wfr.cases.models import Case, CaseUpdate, Standing
from wfr.cases.queries import shelf, today
from wfr.errors import NoSuchThing, NotPossibleNow
from wfr.extensions import db, kept
from wfr.pledges.models import TallyCount
from wfr.pledges.queries import BOARD_SECONDS
from wfr.pledges.tallying import Count, Figures

FEWEST_NAMED = 10
"""How many actions a country must have to be named: of fewer, somebody could tell who wrote."""


def listed_cases() -> list[Case]:
    """Return the cases that other sites may show, in the desk's order; never a withdrawn one."""
    return [case for case in shelf().cases.values() if case.for_feeds(today())]


def listed_case(slug: str) -> Case:
    """Return the case at this address as other sites may show it.

    Raises `NotPossibleNow` when it was withdrawn, and `NoSuchThing` when nobody agreed that other sites show it.
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


@dataclass(slots=True)
class Breakdown(Figures):
    """Figures by kind of action, and the same by the country that the actions come from (ISO 3166-1 alpha-2)."""

    countries: dict[str, Count] = field(default_factory=dict)

    def add_row(self, kind: str, country: str, numbers: tuple[int, int, int]) -> None:
        """Add how many were pledged, taken and simulated, of one kind and country."""
        self.add_kind(kind, *numbers)
        self.countries.setdefault(country, Count()).add(*numbers)

    def named(self) -> dict[str, Count]:
        """Return the countries with `FEWEST_NAMED` actions or more, by their codes in order."""
        return {code: self.countries[code] for code in sorted(self.countries) if self._is_named(code)}

    def unnamed(self) -> Count:
        """Return the sum of the countries that are too few to be named."""
        rest = Count()
        for code, count in self.countries.items():
            if not self._is_named(code):
                rest.add(count.pledged, count.taken, count.simulated)
        return rest

    def _is_named(self, code: str) -> bool:
        return self.countries[code].pledged >= FEWEST_NAMED


@dataclass(frozen=True, slots=True)
class CountryTally:
    """The tally at one moment, by kind and country: the world's, and each case's by its id. All sums agree."""

    as_of: datetime
    world: Breakdown
    by_case: dict[int, Breakdown]

    def of(self, case: Case) -> Breakdown:
        """Return the figures of one case."""
        return self.by_case.get(case.id, Breakdown())


def country_tally() -> CountryTally:
    """Return the tally by kind and country, at most `BOARD_SECONDS` old (twice that while it is read anew)."""
    return kept().get("tally by country", BOARD_SECONDS, _read_tally)


def _read_tally() -> CountryTally:
    sums = (func.sum(TallyCount.pledged), func.sum(TallyCount.taken), func.sum(TallyCount.simulated))
    key = (TallyCount.case_id, TallyCount.kind, TallyCount.country)
    world, by_case = Breakdown(), dict[int, Breakdown]()
    with db.session.session_factory() as session:
        for case_id, kind, country, *found in session.execute(select(*key, *sums).group_by(*key)):
            pledged, taken, simulated = map(int, found)
            for part in (world, by_case.setdefault(case_id, Breakdown())):
                part.add_row(kind, country, (pledged, taken, simulated))
    return CountryTally(datetime.now(UTC), world, by_case)
