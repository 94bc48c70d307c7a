"""Spikes: a count that stands out from its own past. It may be an action day, a broadcast or a robot: people look."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

PERIODS_BEFORE = 14
"""How many periods before it (days, or the same hour of the days before) a count is compared with."""

DEVIATIONS = 4
AT_LEAST = 30
PAST_AT_LEAST = 5


def is_spike(count: int, past: Sequence[int]) -> bool:
    """Say whether `count` exceeds the median of `past` by four median absolute deviations and is 30 or more.

    With fewer than five periods of past nothing is usual yet, and so nothing is a spike.
    """
    if count < AT_LEAST or len(past) < PAST_AT_LEAST:
        return False
    usual = median(past)
    # A past without any scatter would make one action more a spike.
    scatter = max(median(abs(number - usual) for number in past), 1)
    return count > usual + DEVIATIONS * scatter
