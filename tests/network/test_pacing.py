"""How many messages a second leave, in all and to one domain, by a clock that the test moves."""

from __future__ import annotations

import pytest

from wfr.network.pacing import Pace


class Clock:
    """Seconds that pass when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def send(pace: Pace, clock: Clock, domains: list[str]) -> list[tuple[str, float]]:
    """Send a message to each of these, as a worker does; return where and when each went."""
    left, went = list(domains), []
    while left:
        place, seconds = pace.choose(left)
        if seconds:
            clock.now += seconds
            continue
        went.append((left.pop(place), round(clock.now - 100, 6)))
        pace.take(went[-1][0])
    return went


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_without_a_rate_nothing_waits(clock: Clock) -> None:
    assert send(Pace(0, 0, clock), clock, ["a"] * 100)[-1] == ("a", 0)


def test_messages_are_spaced_evenly(clock: Clock) -> None:
    assert [at for _, at in send(Pace(4, 0, clock), clock, list("aabb"))] == [0, 0.25, 0.5, 0.75]


def test_the_rate_is_shared_out_among_the_workers(clock: Clock) -> None:
    pace = Pace(4, 0, clock)
    pace.workers = 2
    assert [at for _, at in send(pace, clock, list("aab"))] == [0, 0.5, 1]


def test_who_must_wait_for_her_domain_lets_others_go_first(clock: Clock) -> None:
    assert send(Pace(0, 1, clock), clock, list("aaab")) == [("a", 0), ("b", 0), ("a", 1), ("a", 2)]


def test_both_rates_hold_at_once(clock: Clock) -> None:
    assert send(Pace(2, 1, clock), clock, list("aaab")) == [("a", 0), ("b", 0.5), ("a", 1), ("a", 2)]


def test_what_was_slept_through_is_not_made_up_for(clock: Clock) -> None:
    pace = Pace(1, 0, clock)
    pace.take("a")
    clock.now += 60
    assert [at for _, at in send(pace, clock, list("aa"))] == [60, 61]
