"""What a member can ask to hear of: concerns and regions, kept as bits of one number each; none means all."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from flask_babel import lazy_gettext as _l

from wfr.countries import REGIONS


class Concern(StrEnum):
    """What an Urgent Action is about, in the words that activists know."""

    DEATH_PENALTY = "death_penalty"
    TORTURE = "torture"
    DETENTION = "detention"
    DISAPPEARANCE = "disappearance"
    DEFENDERS = "defenders"
    EXPRESSION = "expression"
    EVICTION = "eviction"
    FORCED_RETURN = "forced_return"
    INDIGENOUS = "indigenous"
    WOMEN = "women"
    LGBTI = "lgbti"
    HEALTH = "health"
    CONFLICT = "conflict"


CONCERN_WORDS = {
    Concern.DEATH_PENALTY: _l("Death penalty"),
    Concern.TORTURE: _l("Torture and ill-treatment"),
    Concern.DETENTION: _l("Unfair detention and trial"),
    Concern.DISAPPEARANCE: _l("Enforced disappearance"),
    Concern.DEFENDERS: _l("Human rights defenders at risk"),
    Concern.EXPRESSION: _l("Freedom of expression and assembly"),
    Concern.EVICTION: _l("Forced eviction"),
    Concern.FORCED_RETURN: _l("Refugees and forced return"),
    Concern.INDIGENOUS: _l("Indigenous peoples and land"),
    Concern.WOMEN: _l("Women’s rights"),
    Concern.LGBTI: _l("LGBTI rights"),
    Concern.HEALTH: _l("Medical care and health"),
    Concern.CONFLICT: _l("People in armed conflict"),
}

_CONCERNS = tuple(Concern)
_REGIONS = tuple(REGIONS)
# The bits are in the database: new concerns and regions are added at the end, none is taken out or moved.


def concern_bits(concerns: Iterable[str]) -> int:
    """Return the number that stands for these concerns; 0, for none, means all of them."""
    return sum(1 << _CONCERNS.index(Concern(concern)) for concern in set(concerns))


def concerns_in(bits: int) -> list[Concern]:
    """Return the concerns that a number stands for."""
    return [concern for place, concern in enumerate(_CONCERNS) if bits >> place & 1]


def region_bits(regions: Iterable[str]) -> int:
    """Return the number that stands for these regions (UN M49 codes); 0, for none, means the whole world."""
    return sum(1 << _REGIONS.index(region) for region in set(regions))


def regions_in(bits: int) -> list[str]:
    """Return the regions (UN M49 codes) that a number stands for."""
    return [region for place, region in enumerate(_REGIONS) if bits >> place & 1]
