"""Lettering: a name of any length in the largest size that its place on a share card has room for, line by line."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby

from fontTools.ttLib import TTFont
from PIL import ImageFont

from wfr.paper import FONTS

WIDTH, NARROW = 690, 526
"""Pixels that a line may take up, and those of them that a square cut out of the card's middle still shows."""

SIZES = tuple(round(300 / 1.06**step) for step in range(44))
"""Pixels, the largest first; each is a little smaller than the one before."""

_FONTS = (
    "barlow-condensed-700.ttf",
    "noto-naskh-arabic-700.ttf",
    "noto-serif-devanagari-700.ttf",
    "source-serif-4-600.ttf",
)
_LINE_HEIGHTS = {"latin": 0.87, "arabic": 1.2, "devanagari": 1.2, "serif": 0.95}
_ACCENTS = 0.95
_SMALLER_IS_FINE = 0.72
_LONGEST_PART = 16
_MEASURED_AT = 1000


@dataclass(frozen=True, slots=True)
class Lettering:
    """How a name is set: its lines, how large (pixels), and how high each line is, counted in sizes.

    `script` is ``latin``, ``arabic``, ``devanagari`` or, for Greek and Cyrillic, ``serif``: it says which font it is.
    """

    lines: tuple[str, ...]
    size: int
    line_height: float
    script: str


@dataclass(frozen=True, slots=True)
class _Part:
    """What no line break may fall into. `width` is counted in sizes, and so is `space`, which stands before it."""

    text: str
    width: float
    space: float


@lru_cache(maxsize=1024)
def lettering(words: str, height: int) -> Lettering:
    """Return the largest setting of `words`, in capitals, that is at most `height` pixels high.

    Lines break at spaces and after hyphens and are about equally wide; a word that would not fit even so is cut where
    it must be. They are narrow where that costs little.
    """
    capitals = unicodedata.normalize("NFC", words).upper()
    script = tuple(_LINE_HEIGHTS)[max(map(_font_of, capitals), default=0)]
    high = _LINE_HEIGHTS[script] if capitals.isascii() else max(_ACCENTS, _LINE_HEIGHTS[script])
    for parts in (_parts(capitals.split()), _parts(_cut(capitals))):
        wide = _largest(parts, WIDTH, height / high)
        narrow = _largest(parts, NARROW, height / high)
        if wide:
            width, size = (NARROW, narrow) if narrow >= wide * _SMALLER_IS_FINE else (WIDTH, wide)
            return Lettering(_even(parts, int(height / high / size), width / size), size, high, script)
    return Lettering((capitals,), SIZES[-1], high, script)


def _largest(parts: Sequence[_Part], width: int, height: float) -> int:
    """Return the largest size in which `parts` fill no more than `height`, counted in lines of one pixel, or 0."""
    return next((size for size in SIZES if 0 < len(_lines(parts, width / size)) * size <= height), 0)


def _cut(capitals: str) -> list[str]:
    return [word[at : at + _LONGEST_PART] for word in capitals.split() for at in range(0, len(word), _LONGEST_PART)]


def _parts(words: Sequence[str]) -> list[_Part]:
    parts = []
    for word in words:
        for place, text in enumerate(re.findall(r"[^-]*-+|[^-]+", word)):
            parts.append(_Part(text, _width(text), 0 if place else _width(" ")))
    return parts


def _lines(parts: Sequence[_Part], room: float) -> list[str]:
    """Return the lines that `parts` fill where `room` is the widest a line may be; empty when a part is wider."""
    lines: list[str] = []
    left = 0.0
    for part in parts:
        if part.width > room:
            return []
        if lines and part.space + part.width <= left:
            lines[-1] += (" " if part.space else "") + part.text
            left -= part.space + part.width
        else:
            lines.append(part.text)
            left = room - part.width
    return lines


def _even(parts: Sequence[_Part], count: int, room: float) -> tuple[str, ...]:
    """Return the lines, at most `count` and none wider than `room`, whose widths differ least."""

    @cache
    def best(start: int, lines: int) -> tuple[float, tuple[str, ...]]:
        """Return the least sum of squared widths of what is left to set, and how it is set."""
        if start == len(parts):
            return 0.0, ()
        found: list[tuple[float, tuple[str, ...]]] = [(math.inf, ())]
        text, width = "", 0.0
        for end, part in enumerate(parts[start:] if lines else (), start + 1):
            space = part.space if text else 0.0
            text, width = text + (" " if space else "") + part.text, width + space + part.width
            if width > room:
                break
            rest, others = best(end, lines - 1)
            found.append((width**2 + rest, (text, *others)))
        return min(found)

    return best(0, count)[1]


def _width(text: str) -> float:
    """Return how wide `text` is, in sizes, as its letters join in their own fonts."""
    runs = groupby(text, _font_of)
    return sum(_font(_FONTS[font]).getlength("".join(run)) for font, run in runs) / _MEASURED_AT


def _font_of(letter: str) -> int:
    """Return which font has `letter`; where several have it, or none, the one that the style sheet names first."""
    return next((number for number, name in enumerate(_FONTS) if ord(letter) in _letters(name)), 0)


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    # Without Raqm letters are measured unjoined, which is wider: the name is set smaller, and fits.
    return ImageFont.truetype(str(FONTS / name), _MEASURED_AT)


@cache
def _letters(name: str) -> frozenset[int]:
    with TTFont(FONTS / name, lazy=True) as font:
        return frozenset(font.getBestCmap())
