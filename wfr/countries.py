"""Countries by their ISO 3166-1 alpha-2 code, named in the reader's language (CLDR, through Babel)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from babel import Locale

# CLDR lists groupings and reserved codes beside the countries.
_NOT_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
# CLDR's English adds a second name in brackets, which no stamp has room for.
_OVERRIDES = {"en": {"MM": "Myanmar"}}


@lru_cache(maxsize=64)
def countries(language: str) -> tuple[tuple[str, str], ...]:
    """Return (code, name) of every country, sorted by name as a reader of `language` looks for it."""
    locale = Locale.parse(language, sep="-")
    territories = {**locale.territories, **_OVERRIDES.get(locale.language, {})}
    pairs = [
        (code, name)
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
    ]
    return tuple(sorted(pairs, key=lambda pair: _without_marks(pair[1])))


@lru_cache(maxsize=64)
def _names(language: str) -> dict[str, str]:
    return dict(countries(language))


def country_name(code: str, language: str) -> str:
    """Return the country's name in `language`; the code itself where it is none."""
    return _names(language).get(code, code)


def is_country(code: str) -> bool:
    """Say whether `code` is a country's code."""
    return code in _names("en")


def _without_marks(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name)
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark)).casefold()
