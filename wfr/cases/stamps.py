"""The engraving on a stamp: line patterns drawn from a case's slug, and how large its name may be set.

A pattern's family is chosen by staff; the slug only varies it, so that the same case looks the same on the
page, the poster and the share card, in every process. No family draws rings around a centre: on the stamp of
somebody who was shot, that is a target. Everything here is a pure function of words.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfr.cases.models import Case

WIDTH, HEIGHT = 300, 396
VIEW_BOX = f"0 0 {WIDTH} {HEIGHT}"
PAIRS = ("teal", "plum", "navy", "forest", "violet", "rust")

_NAME_SIZES = (("xl", 20, 8), ("l", 26, 10), ("m", 36, 13), ("s", 64, 18))


@dataclass(frozen=True)
class Stroke:
    """Lines of one thickness. `width` is in units of the view box."""

    d: str
    width: float


@dataclass(frozen=True)
class Pattern:
    """SVG path data inside `view_box`: `filled` areas (may be empty) and `strokes`, all in one ink."""

    filled: str = ""
    strokes: tuple[Stroke, ...] = ()
    view_box: str = VIEW_BOX


def _number(value: float) -> str:
    """Write a coordinate with one decimal at most and no needless zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _pairs(*numbers: float) -> str:
    """Write coordinates with as few separators as SVG needs: a minus sign separates by itself."""
    words = [_number(number) for number in numbers]
    return "".join(word if not i or word.startswith("-") else " " + word for i, word in enumerate(words))


def _wedge(centre: tuple[float, float], angle: float, spread: float, start: float, end: float) -> str:
    """Return a ray from `start` to `end` (distances from `centre`), `spread` radians wide."""
    corners = [
        (centre[0] + distance * math.cos(turn), centre[1] + distance * math.sin(turn))
        for distance, turn in ((start, angle), (end, angle), (end, angle + spread), (start, angle + spread))
    ]
    if start == 0:
        corners = corners[:3]
    return (
        "M"
        + "L".join(_pairs(round(x), round(y)) if distance else _pairs(x, y) for distance, (x, y) in enumerate(corners))
        + "z"
    )


def _rays(random: Random) -> Pattern:
    """Rays from a point beyond an edge, so that no crossing of lines is ever aimed at."""
    centre = (random.choice((-30.0, 60.0, 150.0, 240.0, 330.0)), random.choice((-40.0, 420.0, 440.0)))
    count = random.choice((60, 66, 72))
    turn = 2 * math.pi / count
    return Pattern(
        "".join(_wedge(centre, i * turn, turn * 0.5, 0, 620) for i in range(count) if _inwards(centre, i * turn))
    )


def _inwards(centre: tuple[float, float], angle: float) -> bool:
    """Say whether a ray from a point outside can reach the stamp."""
    return math.sin(angle) > -0.1 if centre[1] < 0 else math.sin(angle) < 0.1


def _sunrise(random: Random) -> Pattern:
    """Half a sun that rises from behind the name, long and short rays above it, still water under it."""
    centre, radius, count = (random.choice((105.0, 150.0, 195.0)), 292.0), random.choice((78.0, 86.0)), 76
    turn = 2 * math.pi / count
    rays = "".join(
        _wedge(centre, i * turn, turn * 0.56, radius + (10 if i % 2 else 24), 480)
        for i in range(count)
        if math.sin(i * turn + turn / 4) < 0
    )
    disc = f"M{_pairs(centre[0] - radius, centre[1])}a{_pairs(radius, radius)} 0 1 1 {_pairs(2 * radius, 0)}z"
    water = "".join(f"M0 {298 + row * 9}h300v{_number(6.5 - row * 0.5)}H0z" for row in range(11))
    return Pattern(disc + rays + water)


def _wave(x: float, y: float, half: float, height: float, count: int) -> str:
    """Return a wave from x, y: `count` half waves, each `half` wide and about `height / 2` high."""
    return f"M{_pairs(x, y)}q{_pairs(half / 2, -height, half, 0)}t{_pairs(*(half, 0) * (count - 1))}"


def _by_width(lines: list[tuple[float, str]]) -> tuple[Stroke, ...]:
    """Gather lines of the same thickness into one path each."""
    widths = sorted({width for width, _ in lines})
    return tuple(Stroke("".join(d for each, d in lines if each == width), width) for width in widths)


def _waves(random: Random) -> Pattern:
    """A sea: swell and thickness rise and fall down the stamp."""
    half, shift = random.choice((25, 30, 38)), random.random() * math.tau
    drift = random.choice((-1, 1)) * random.choice((3, 5))
    lines = []
    for row in range(32):
        swell = 17 + 11 * math.sin(row / 4.2 + shift)
        width = round(3.6 + 2.2 * math.sin(row / 4.2 + shift + 1.2), 0)
        start = -2 * half + (row * drift) % (2 * half) - 2 * half
        lines.append((width, _wave(start, round(row * 12.6 - 4), half, round(swell), math.ceil(300 / half) + 4)))
    return Pattern(strokes=_by_width(lines))


def _ridge(row: int, phases: list[float]) -> list[float]:
    """Return the heights of one line of hills at seven points, left to right."""
    fade = max(0.3, 1 - row / 34)
    return [
        fade * (38 * math.sin(x / 1.7 + phases[0] + row * 0.07) + 20 * math.sin(x * 1.25 + phases[1] - row * 0.11))
        for x in range(7)
    ]


def _hills(random: Random) -> Pattern:
    """Ranges of hills, one behind the other; the near ones are drawn heavier."""
    phases = [random.random() * math.tau, random.random() * math.tau]
    step, lines = 52, []
    for row in range(25):
        base = 104 + row * 12.6
        heights = [base + height for height in _ridge(row, phases)]
        slopes = [(heights[min(i + 1, 6)] - heights[max(i - 1, 0)]) / (2 if 0 < i < 6 else 1) / 3 for i in range(7)]
        d = f"M{_pairs(-6, round(heights[0]))}"
        for i in range(6):
            rise = heights[i + 1] - heights[i]
            d += "c" + _pairs(*map(round, (step / 3, slopes[i], step * 2 / 3, rise - slopes[i + 1], step, rise)))
        lines.append((1.5 + 1.0 * (row // 4), d))
    return Pattern(strokes=_by_width(lines))


def _hatch(random: Random) -> Pattern:
    """Slanting strokes that swell and thin like an engraver's."""
    lean, shift = random.choice((-1, 1)) * random.choice((150, 210, 260)), random.random() * math.tau
    pitch, d = 9.5, ""
    for i in range(-30, 64):
        x, width = i * pitch, 4.6 + 2.9 * math.sin(i / 3.4 + shift)
        if max(x, x + lean) + width < 0 or min(x, x + lean) > WIDTH:
            continue
        d += f"M{_pairs(round(x, 1), 400)}l{_pairs(lean, -404)}h{_pairs(width)}l{_pairs(-lean, 404)}z"
    return Pattern(d)


def _guilloche(random: Random) -> Pattern:
    """Two bundles of threads that cross and cross again, as on banknotes."""
    half, shift, lines = random.choice((66, 78, 90)), random.random(), []
    for band in range(4):
        for side in (0, 1):
            for strand in range(8):
                start = -3 * half + round(half * (shift + band * 0.5 + side + strand * 0.045))
                middle = 14 + band * 108 + strand * 5
                lines.append((1.9, _wave(start, middle, half, 96 - strand * 4, math.ceil(300 / half) + 4)))
    return Pattern(strokes=_by_width(lines))


def _weave(random: Random) -> Pattern:
    """Basket work: bundles of threads that go over and under."""
    size, threads = random.choice((50, 60)), random.choice((5, 6))
    gap, d = size / threads, ""
    for row in range(math.ceil(HEIGHT / size)):
        for column in range(math.ceil(WIDTH / size)):
            for thread in range(threads):
                near, across = thread * gap + gap / 2, size - 5
                if (row + column) % 2:
                    d += f"M{_pairs(column * size + 2.5, row * size + near)}h{_pairs(across)}"
                else:
                    d += f"M{_pairs(column * size + near, row * size + 2.5)}v{_pairs(across)}"
    return Pattern(strokes=(Stroke(d, round(gap * 0.52, 1)),))


FAMILIES: dict[str, Callable[[Random], Pattern]] = {
    "rays": _rays,
    "sunrise": _sunrise,
    "waves": _waves,
    "hills": _hills,
    "hatch": _hatch,
    "guilloche": _guilloche,
    "weave": _weave,
}


@lru_cache(maxsize=512)
def pattern(family: str, slug: str) -> Pattern:
    """Return the engraving of `family` for the case `slug`: the same words give the same lines, for ever.

    Raises `ValueError` for a family that does not exist.
    """
    if family not in FAMILIES:
        raise ValueError(f"no pattern family {family!r}: choose one of {', '.join(FAMILIES)}")
    seed = int(sha256(slug.encode()).hexdigest(), 16)
    return FAMILIES[family](Random(seed))  # noqa: S311 - a drawing, not a secret


def name_size(name: str) -> str:
    """Return the size class of a name on its stamp (xl, l, m, s, xs) by its length and longest word alone."""
    longest = max((len(part) for part in name.replace("-", "- ").split()), default=0)
    for size, most, word in _NAME_SIZES:
        if len(name) <= most and longest <= word:
            return size
    return "xs"


def is_arabic(name: str) -> bool:
    """Say whether a name is written in the Arabic script, which needs taller lines."""
    return any("\u0600" <= letter <= "\u08ff" or "\ufb50" <= letter <= "\ufefc" for letter in name)


@dataclass(frozen=True)
class StampArt(Pattern):
    """What a template needs to draw a stamp besides the case: the engraving and how the name is set."""

    name_size: str = "xl"
    arabic: bool = False


def stamp_pattern(case: Case) -> StampArt:
    """Return the art of a case's stamp; a family that no longer exists is drawn as waves, not left out."""
    art = pattern(case.pattern if case.pattern in FAMILIES else "waves", case.slug)
    return StampArt(art.filled, art.strokes, art.view_box, name_size(case.name), is_arabic(case.name))
