"""Contrast, computed from tokens.css: text reaches 7:1 on every ground it stands on, drawn lines 3:1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parent.parent / "static" / "css" / "tokens.css"
COLOURS = dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6});", TOKENS.read_text()))
PAIRS = ("teal", "plum", "navy", "forest", "violet", "rust")

TEXT_ON_GROUND = [
    *((ink, ground) for ink in ("ink", "ink-soft") for ground in ("paper", "white", "kraft", "signal")),
    *(("ink", ground) for ground in ("own-words", "stamp-edge")),
    *((light, ground) for light in ("on-ink", "on-ink-soft", "signal") for ground in ("ink", "board")),
    ("white", "red-deep"),
    ("red-deep", "paper"),
    ("error", "white"),
    ("error", "paper"),
    ("error", "kraft"),
    ("good", "paper"),
    ("good", "white"),
    *((f"{pair}-ink", f"{pair}-paper") for pair in PAIRS),
    *((text, f"{pair}-paper") for pair in PAIRS for text in ("ink", "ink-soft")),
    *((f"{pair}-ink", "paper") for pair in PAIRS),
]
DRAWN_ON_GROUND = [
    *(("line", ground) for ground in ("paper", "white", "kraft")),
    ("accent-red", "white"),
    ("accent-blue", "white"),
    ("red-deep", "kraft"),
    ("good", "paper"),
    *((f"{pair}-ink", ground) for pair in PAIRS for ground in ("stamp-edge", "paper")),
]


def _luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb as WCAG 2.2 defines it, 0 to 1."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two token names, 1 to 21."""
    dark, light = sorted(_luminance(COLOURS[name]) for name in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_can_be_read(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 7


@pytest.mark.parametrize(("drawn", "ground"), DRAWN_ON_GROUND)
def test_what_is_drawn_can_be_seen(drawn: str, ground: str) -> None:
    assert contrast(drawn, ground) >= 3


def test_every_pair_of_the_stamps_is_in_the_tokens() -> None:
    assert {f"{pair}-{part}" for pair in PAIRS for part in ("ink", "paper")} <= COLOURS.keys()


def test_black_on_white_is_the_known_ratio() -> None:
    assert round(contrast("ink", "white"), 1) == 18.9
