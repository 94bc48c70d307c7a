"""A stamp's engraving: always the same for a case, light to send, and never a target."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from wfr.cases.stamps import FAMILIES, PAIRS, Pattern, is_arabic, name_size, pattern, stamp_pattern

SLUGS = ("idris-khattak", "nassima-al-sada", "germain-rukuki", "gustavo-gatica", "x", "نسيمة")


def _data(art: Pattern) -> str:
    return art.filled + "".join(stroke.d for stroke in art.strokes)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("slug", SLUGS)
def test_a_pattern_is_light_and_plain_path_data(family: str, slug: str) -> None:
    data = _data(pattern(family, slug))

    assert 0 < len(data) <= 4096
    assert re.fullmatch(r"[MLHVCQTAZmlhvcqtaz0-9 .-]+", data)
    assert not re.search(r"\.\d\d", data), "one decimal is all that a screen can show"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_case_gets_the_same_stamp_for_ever(family: str) -> None:
    first = pattern(family, "jani-silva")
    pattern.cache_clear()

    assert pattern(family, "jani-silva") == first


@pytest.mark.parametrize("family", FAMILIES)
def test_cases_of_one_family_do_not_all_look_alike(family: str) -> None:
    assert len({_data(pattern(family, slug)) for slug in SLUGS}) > 1


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("slug", SLUGS)
def test_no_pattern_draws_rings(family: str, slug: str) -> None:
    """One half sun is the only round thing; nothing closes around it."""
    data = _data(pattern(family, slug))

    assert data.lower().count("a") == (1 if family == "sunrise" else 0)


def test_the_pattern_of_a_known_case_does_not_change_by_accident() -> None:
    assert pattern("hatch", "popi-qwabe-and-bongeka-phungula").filled.startswith("M")
    assert [stroke.width for stroke in pattern("hills", "gustavo-gatica").strokes] == [
        1.5,
        2.5,
        3.5,
        4.5,
        5.5,
        6.5,
        7.5,
    ]


def test_an_unknown_family_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="rings"):
        pattern("rings", "gustavo-gatica")


def test_a_stamp_whose_family_was_taken_away_is_still_drawn() -> None:
    case = SimpleNamespace(pattern="rings", slug="gustavo-gatica", name="Gustavo Gatica")

    assert stamp_pattern(case).strokes == pattern("waves", "gustavo-gatica").strokes  # type: ignore[arg-type]


def test_there_are_six_pairs_of_colours() -> None:
    assert len(set(PAIRS)) == 6


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("X", "xl"),
        ("Idris Khattak", "xl"),
        ("Nassima al-Sada", "xl"),
        ("نسيمة السادة", "xl"),
        ("Popi Qwabe and Bongeka Phungula", "m"),
        ("Maria Fernanda da Conceição Vasconcelos-Albuquerque", "s"),
        ("Sivaramakrishnan Venkatanarasimharajuvaripeta", "xs"),
        ("A" * 160, "xs"),
        ("", "xl"),
    ],
)
def test_a_name_is_set_by_its_length_alone(name: str, size: str) -> None:
    assert name_size(name) == size


def test_names_in_arabic_get_taller_lines() -> None:
    assert is_arabic("نسيمة السادة")
    assert not is_arabic("Nassima al-Sada")
