"""Sizing: a text of any length is set in the largest of a few sizes in which it fits its place on paper.

The layout itself is asked, so lines break and letters join exactly as they will on the sheet.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from wfr.letters.printing import Render, document_html
from wfr.paper import PaperError, heights

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Room:
    """What a text may take up, `width` by `height` (mm), and the `sizes` (points) it may have, the largest first.

    `part` is the template below templates/ that sets one text, which it calls `thing`; `look` is the CSS class it
    is set in, and `stylesheet` where that class is.
    """

    part: str
    look: str
    stylesheet: str
    width: float
    height: float
    sizes: tuple[float, ...]


class Fit(NamedTuple):
    """The size (points) that a text got, and how high (mm) it is then."""

    size: float
    height: float


def fit(texts: Sequence[T], room: Room, *, language: str, render: Render) -> list[Fit]:
    """Return for each text the largest size in which it fits the room.

    Raises `PaperError` with the place, from 1, of the first that fits in none: not with its words, which anybody
    may have typed.
    """
    found: dict[T, Fit] = {}
    for size in room.sizes:
        waiting = [text for text in dict.fromkeys(texts) if text not in found]
        if waiting:
            values = {"things": waiting, "room": room, "size": size}
            html = document_html("paper/sizing.html", "-", language, "A4", render, **values)
            for number, height in heights(html, stylesheet=room.stylesheet).items():
                if height <= room.height:
                    found[waiting[int(number)]] = Fit(size, height)
    for place, text in enumerate(texts, 1):
        if text not in found:
            raise PaperError(f"The text of {room.look} number {place} is too long for its place")
    return [found[text] for text in texts]
