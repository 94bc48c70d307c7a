"""The geometry of the bar chart of days: numbers for an SVG that is drawn on the server and styled by classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

STEP = 10
BAR = 8
HEIGHT = 100
MARK_ROOM = 8
"""What stays free above the tallest bar, for the mark of a spike."""

ROUND = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `y` and `height` of the whole, `simulated` the height of the part made up, which stands at its foot."""

    x: float
    y: float
    height: float
    simulated: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars in a box of `width` × `HEIGHT` that may be stretched either way; `top` is the figure at the upper line."""

    width: int
    top: int
    bars: tuple[Bar, ...]


def bar_chart(counts: Sequence[tuple[int, int]]) -> Chart:
    """Return the chart of pairs of (all, simulated among them), one bar each, left to right."""
    top = round_up(max((count for count, _ in counts), default=0))
    unit = (HEIGHT - MARK_ROOM) / top
    bars = tuple(
        Bar(
            index * STEP + (STEP - BAR) / 2,
            round(HEIGHT - count * unit, 2),
            round(count * unit, 2),
            round(part * unit, 2),
        )
        for index, (count, part) in enumerate(counts)
    )
    return Chart(width=max(len(counts), 1) * STEP, top=top, bars=bars)


def round_up(figure: int) -> int:
    """Return the next round figure (10, 12, 15, 20 … 80, 100, 120 …) that is no less than `figure`."""
    size = 1
    while True:
        for step in ROUND:
            if figure <= step * size:
                return step * size
        size *= 10
