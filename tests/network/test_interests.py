"""Regions and concerns: every country lies in one region, and what is kept as a number reads back as it was."""

from __future__ import annotations

from collections import Counter

from wfr.countries import REGIONS, countries, region_name, region_of
from wfr.network.interests import CONCERN_WORDS, Concern, concern_bits, concerns_in, region_bits, regions_in


def test_every_country_lies_in_exactly_one_region() -> None:
    placed = Counter(code for codes in REGIONS.values() for code in codes.split())
    assert set(placed) == {code for code, _name in countries("en")} - {"AQ"}
    assert set(placed.values()) == {1}
    assert (region_of("TG"), region_of("EG"), region_of("AQ")) == ("002", "002", None)
    assert region_name("142", "fr") == "Asie"


def test_interests_read_back_from_their_number() -> None:
    for concern in Concern:
        assert concerns_in(concern_bits([concern])) == [concern]
    assert regions_in(region_bits(["142", "002", "142"])) == ["002", "142"]
    assert concern_bits([]) == region_bits([]) == 0
    assert set(CONCERN_WORDS) == set(Concern)


def test_the_bits_in_the_database_never_change_their_meaning() -> None:
    assert [concern_bits([name]) for name in ("death_penalty", "torture", "conflict")] == [1, 2, 1 << 12]
    assert region_bits(["009"]) == 16
