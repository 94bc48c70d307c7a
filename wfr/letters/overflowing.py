"""Overflowing: whether a letter has room on one sheet, as a cheap guess and as the printer knows it."""

from __future__ import annotations

from collections.abc import Iterable

from wfr.letters.merging import Letter
from wfr.letters.printing import STYLESHEET, Paper, Render, letters_html
from wfr.paper import page_count

LINE_MM = 6.18
"""A line of 12 points, with its leading; `static/css/paper.css`."""
ROOM_MM: dict[str, float] = {"A4": 170.0, "Letter": 163.0}
"""How high the words may be, from subject to signature, below the address."""
LINE_CHARACTERS = 70
"""So many narrow letters stand on a line at least; `_width` says what counts for more."""
PARAGRAPH_MM = 3.4
FRAME_MM = 54.0
"""The empty lines around subject, greeting, close and signature."""

LARGER = {"ar": 1.25}
"""How much larger the letters of a language are set, in both directions."""

_WIDE = frozenset("mwMW@%&—…")


def may_take_two_pages(letter: Letter, paper: str) -> bool:
    """Say whether a letter may not fit one sheet of `paper`: a guess that costs nothing and never misses one.

    Where it says yes, `count_pages` tells.
    """
    characters = LINE_CHARACTERS // 2 if letter.beside else LINE_CHARACTERS
    # Each row of two columns is as high as the higher of its two.
    rows = letter.rows or ((letter.paragraphs,),)
    words = sum(max(_height(side, characters) for side in row) for row in rows)
    above = sum(LINE_MM * _lines(line, characters) for line in (letter.subject, letter.note) if line)
    larger = LARGER.get(letter.language, 1.0)
    return (words + above + FRAME_MM) * larger > ROOM_MM.get(paper, min(ROOM_MM.values()))


def count_pages(letter: Letter, *, paper: Paper, render: Render) -> int:
    """Return how many pages a letter takes, laid out as it is printed; raises as `print_letters` does."""
    return page_count(letters_html([letter], paper=paper, render=render), stylesheet=STYLESHEET)


def _height(paragraphs: Iterable[str], characters: int) -> float:
    """Return how high paragraphs are at most, in millimetres."""
    return sum(
        PARAGRAPH_MM + LINE_MM * sum(_lines(line, characters) for line in words.splitlines()) for words in paragraphs
    )


def _lines(line: str, characters: int) -> int:
    return int(sum(map(_width, line)) // characters) + 1


def _width(character: str) -> float:
    """Return how much room a character takes, in narrow letters."""
    if character.isupper() or character in _WIDE:
        return 1.6
    return 1.0 if character.isascii() else 1.3
