"""Braces in a case's text are checked when the case is loaded, never on paper."""

from __future__ import annotations

import pytest

from wfr.cases.placeholders import PLACEHOLDERS, UnknownPlaceholder, check_placeholders


@pytest.mark.parametrize("part", PLACEHOLDERS)
def test_known_placeholders_pass(part: str) -> None:
    check_placeholders(part, "\n\n".join(f"{{{name}}}" for name in PLACEHOLDERS[part]))


@pytest.mark.parametrize(
    ("part", "text", "named"),
    [
        ("letter", "Dear {nmae}", "{nmae}"),
        ("letter", "{handle}", "{handle}"),
        ("post", "{own_words}", "{own_words}"),
        ("letter", "{own words}", "{own words}"),
        ("letter", "{}", "{}"),
        ("letter", "a { alone", "{"),
        ("letter", "a } alone", "}"),
        ("letter", "{{person}}", "{"),
        ("letter", "{person!r}", "{person!r}"),
        ("letter", "{person.name}", "{person.name}"),
        ("letter", "I write because {own_words}.", "{own_words}"),
    ],
)
def test_anything_else_in_braces_is_an_error_by_name(part: str, text: str, named: str) -> None:
    with pytest.raises(UnknownPlaceholder) as caught:
        check_placeholders(part, text)
    assert (caught.value.part, caught.value.placeholder) == (part, named)
    assert part in str(caught.value)
    assert named in str(caught.value)
