"""Countries by their ISO 3166-1 alpha-2 code, named in the reader's language (CLDR, through Babel)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from babel import Locale

# CLDR lists groupings and reserved codes beside the countries.
_NOT_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
# CLDR's English adds a second name in brackets, which no stamp has room for.
_OVERRIDES = {"en": {"MM": "Myanmar"}}

REGIONS = {
    "002": (
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR "
        "MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW"
    ),
    "019": (
        "AG AI AR AW BB BL BM BO BQ BR BS BV BZ CA CL CO CR CU CW DM DO EC FK GD GF GL GP GS GT GY HN HT JM "
        "KN KY LC MF MQ MS MX NI PA PE PM PR PY SR SV SX TC TT US UY VC VE VG VI"
    ),
    "142": (
        "AE AF AM AZ BD BH BN BT CN CY GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY "
        "NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE"
    ),
    "150": (
        "AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC "
        "MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK"
    ),
    "009": ("AS AU CC CK CX FJ FM GU HM KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS"),
}
"""The countries of each region, by its UN M49 code: Africa, the Americas, Asia, Europe, Oceania. Nobody lives in AQ.

The list is of the United Nations' statisticians, who put Kosovo (XK) and Taiwan (TW) on no list of theirs; they stand
where their neighbours do.
"""
_REGION_OF = {code: region for region, codes in REGIONS.items() for code in codes.split()}


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


def region_of(country: str) -> str | None:
    """Return the UN M49 code of the region that a country lies in; None for Antarctica and what is no country."""
    return _REGION_OF.get(country)


def region_name(region: str, language: str) -> str:
    """Return the name of a region (a UN M49 code) in `language`."""
    return str(Locale.parse(language, sep="-").territories[region])
