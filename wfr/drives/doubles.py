"""Doubles: drives that may be one and the same, told by their address or by their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from wfr.drives.models import Drive

ALIKE = 0.5
"""How much of two names' groups of three letters must be the same: "Sao Paulo School" and "São Paulo's School"."""


def doubles_of(drive: Drive, others: Iterable[Drive]) -> list[Drive]:
    """Return those of `others` that may be the same drive as `drive`: same season and country, and alike."""
    mine = _threes(drive.name)
    return [
        other
        for other in others
        if other.id != drive.id
        and (other.season_id, other.country) == (drive.season_id, drive.country)
        and (_same_address(drive, other) or _alike(mine, _threes(other.name)))
    ]


def _same_address(one: Drive, other: Drive) -> bool:
    return bool(one.email and other.email and one.email.casefold() == other.email.casefold())


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    either = len(one | other)
    return bool(either) and len(one & other) / either >= ALIKE


def _threes(name: str) -> frozenset[str]:
    """Return a name's groups of three letters; marks, case and punctuation tell nobody apart."""
    letters = "".join(mark for mark in unicodedata.normalize("NFKD", name) if not unicodedata.combining(mark))
    words = re.findall(r"[^\W_]+", letters.casefold())
    padded = f" {' '.join(words)} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))
