"""The map of where schools write: the world's outlines, tinted in steps by how many drives a country has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from wfr import paths

STEPS = (1, 2, 5, 10, 25)
"""From how many drives a country has each tint, the palest first."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """The world as `bin/world-map` drew it: an SVG path a country, or a dot where the country is too small for one."""

    width: int
    height: int
    paths: Mapping[str, str]
    dots: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Tinted:
    """A country with drives: its tint, from 1, and its outline or its dot."""

    country: str
    number: int
    step: int
    path: str | None
    dot: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class SchoolMap:
    """The map: all other countries as one path, those with drives each for itself, and those it cannot show."""

    width: int
    height: int
    land: str
    tinted: Sequence[Tinted]
    unmapped: Sequence[str]


@cache
def outlines() -> Outlines:
    """Return the world's outlines, read once a process."""
    return Outlines(**json.loads((paths.VENDOR / "world-map.json").read_text(encoding="utf-8")))


def step_of(number: int) -> int:
    """Return the tint for so many drives, from 1."""
    return sum(number >= least for least in STEPS)


def legend() -> list[tuple[int, int, int | None]]:
    """Return each tint with its least and its most drives; the last one has no most."""
    most = [least - 1 for least in STEPS[1:]]
    return [(step, least, upper) for step, (least, upper) in enumerate(zip(STEPS, [*most, None], strict=True), 1)]


def school_map(drives: Mapping[str, int]) -> SchoolMap:
    """Return the map of a number of drives by country (ISO 3166-1 alpha-2)."""
    world = outlines()
    tinted = [
        Tinted(country, number, step_of(number), world.paths.get(country), world.dots.get(country))
        for country, number in sorted(drives.items())
    ]
    return SchoolMap(
        width=world.width,
        height=world.height,
        land="".join(path for country, path in world.paths.items() if country not in drives),
        tinted=[each for each in tinted if each.path or each.dot],
        unmapped=[each.country for each in tinted if not (each.path or each.dot)],
    )
