"""Days by air mail: every country has some, and they are no shorter than what posts recommend in December."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from wfr.countries import countries
from wfr.letters.transit import REGIONS, last_posting_day, still_time, usual_days

DEADLINE = date(2026, 12, 24)


def test_every_country_is_in_one_region() -> None:
    known = [code for region in REGIONS.values() for code in region.countries.split()]
    assert sorted(known) == sorted(code for code, _name in countries("en"))


# Days before 24 December: Royal Mail's earliest recommendation for standard letters in 2016, 2017 and 2020.
@pytest.mark.parametrize(
    ("destination", "days"),
    [
        ("FR", 8),
        ("DE", 10),
        ("PL", 12),
        ("SE", 12),
        ("GR", 15),
        ("RS", 18),
        ("TR", 18),
        ("US", 12),
        ("CA", 14),
        ("CO", 17),
        ("JM", 17),
        ("IN", 18),
        ("JP", 18),
        ("AU", 20),
        ("NZ", 20),
        ("SA", 22),
        ("BI", 22),
        ("ZA", 22),
    ],
)
def test_no_figure_is_shorter_than_a_post_s_own_in_december(destination: str, days: int) -> None:
    assert usual_days("GB", destination).high >= days


def test_all_figures_are_in_order() -> None:
    codes = [region.countries.split()[0] for region in REGIONS.values()]
    for sender in codes:
        for destination in codes:
            days = usual_days(sender, destination)
            assert 0 < days.low < days.high < 40
            assert sender == destination or days.high > usual_days(sender, sender).high


def test_there_is_still_time_until_the_last_posting_day() -> None:
    last = last_posting_day("TG", "CO", DEADLINE)
    days = usual_days("TG", "CO")
    assert last == DEADLINE - timedelta(days=days.high)
    assert still_time("TG", "CO", DEADLINE, last) == "yes"
    assert still_time("TG", "CO", DEADLINE, last + timedelta(days=1)) == "tight"
    assert still_time("TG", "CO", DEADLINE, DEADLINE - timedelta(days=days.low)) == "tight"
    assert still_time("TG", "CO", DEADLINE, DEADLINE - timedelta(days=days.low - 1)) == "no"


def test_what_is_no_country_has_no_days() -> None:
    with pytest.raises(KeyError):
        usual_days("TG", "XX")
