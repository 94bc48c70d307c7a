"""Pace: not more messages a second, in all and to one domain, than the settings allow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

from wfr.extensions import kept, settings

PACE = "mailing pace"


class Pace:
    """Spaces messages evenly. One for each process: the rates are shared out among the workers that are alive.

    A rate is messages a second, 0 for no limit. `clock` gives seconds that only grow.
    """

    def __init__(self, rate: float, domain_rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._domain_rate = domain_rate
        self._clock = clock
        self._free_at = -math.inf
        self._domain_free_at: dict[str, float] = {}
        self.workers = 1

    def choose(self, domains: Iterable[str]) -> tuple[int, float]:
        """Return the place of the message to send next, the first that is free, and the seconds to wait before.

        `domains` says where each message goes that could be next, and is not empty.
        """
        now, place, free_at = self._clock(), 0, self._free_at
        if self._domain_rate:
            place, domain_free_at = 0, math.inf
            for each, domain in enumerate(domains):
                at = self._domain_free_at.get(domain, -math.inf)
                if at < domain_free_at:
                    place, domain_free_at = each, at
                if at <= now:
                    break
            free_at = max(free_at, domain_free_at)
        return place, max(free_at - now, 0.0)

    def take(self, domain: str) -> None:
        """Note that a message to this domain is sent now."""
        if not self._rate and not self._domain_rate:
            return
        now = self._clock()
        if self._rate:
            self._free_at = self._next(self._free_at, now, self._rate)
        if self._domain_rate:
            self._domain_free_at[domain] = self._next(
                self._domain_free_at.get(domain, -math.inf), now, self._domain_rate
            )
            if len(self._domain_free_at) > 10_000:
                self._domain_free_at = {each: at for each, at in self._domain_free_at.items() if at > now}

    def _next(self, free_at: float, now: float, rate: float) -> float:
        # Waking a little late is not made up for: that would be a burst.
        return max(free_at, now) + self.workers / rate


def pace() -> Pace:
    """Return the present app's pace; it outlives a run, so that a next one does not begin with a burst."""
    chosen = settings()
    return kept().get(PACE, math.inf, lambda: Pace(chosen.mail_rate, chosen.mail_domain_rate))
