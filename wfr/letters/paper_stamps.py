"""A case's stamp for paper: what the macro `paper_stamp` of templates/components/_stamp.html draws.

The engraving, the size of the name and the colours are the site's own. Only the ink is looked up here: WeasyPrint
tells an inline drawing nothing of the page's style sheet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from wfr.cases.models import Case
from wfr.cases.stamps import PAIRS, StampArt, stamp_pattern
from wfr.countries import country_name
from wfr.paths import STATIC

TOKENS = STATIC / "css" / "tokens.css"


@dataclass(frozen=True, slots=True)
class PaperStamp:
    """A stamp to print. `colours` names the pair, `ink` is its dark one as ``#rrggbb``; `country` is a name."""

    name: str
    country: str
    colours: str
    ink: str
    art: StampArt


def paper_stamp(case: Case, language: str) -> PaperStamp:
    """Return the stamp of `case`, its country named in `language`; a pair that no longer exists is the first."""
    colours = case.colours if case.colours in PAIRS else PAIRS[0]
    return PaperStamp(
        name=case.name,
        country=country_name(case.country, language),
        colours=colours,
        ink=_inks()[colours],
        art=stamp_pattern(case),
    )


@cache
def _inks() -> dict[str, str]:
    """Return the ink of each pair, as tokens.css has it."""
    return dict(re.findall(r"--([a-z]+)-ink:\s*(#[0-9a-f]{6});", TOKENS.read_text("utf-8")))
