"""Time the share cards: ``python -m benchmarks.cards``. Each picture drawn anew and from memory, and how heavy it is.

Drawn anew means in a process that has printed before; the first printing of a process loads the fonts, about a second.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from benchmarks import machine, stage
from wfr.cases.models import Case
from wfr.cases.queries import shelf
from wfr.extensions import kept
from wfr.paper import warm_up
from wfr.share import cards

ROUNDS = 9
LONGEST = "María del Rosario Fernández de la Vega and the People of Tierra Alta"


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    print(machine.description())
    with stage.open_stage("sqlite") as scene, scene.app.app_context():
        warm_up()
        shown = shelf().featured()
        longest = Case(slug="longest", name=LONGEST, country="AR", pattern="guilloche", feeds=True, status="published")
        for case in (*shown, longest, None):
            say(case.name if case else "The season", case, rounds)


def say(what: str, case: Case | None, rounds: int) -> None:
    """Print the medians of drawing a card anew, of giving it from memory and of its address alone, and its bytes."""

    def forget() -> None:
        digest = cards.card_of(case, "en").url.rpartition("/")[2].removesuffix(".png")
        kept().forget(f"{cards.KEPT}{digest}")

    cold, cold_cpu = median(lambda: cards.draw_card(case, "en"), rounds, before=forget)
    warm, _cpu = median(lambda: cards.draw_card(case, "en"), rounds * 10)
    address, _cpu = median(lambda: cards.card_of(case, "en"), rounds * 10)
    size = len(cards.draw_card(case, "en"))
    print(
        f"{what}: drawn in {cold:,.0f} ms ({cold_cpu:,.0f} ms of processor), from memory in {warm:.2f} ms, "
        f"its address in {address:.2f} ms, {size / 1000:,.0f} kB"
    )


def median(work: Callable[[], object], rounds: int, before: Callable[[], object] = lambda: None) -> tuple[float, float]:
    """Return the medians (ms) of the time that `work` takes, and of its processor time; `before` is not counted."""
    times, busy = [], []
    for _ in range(rounds):
        before()
        began, used = time.perf_counter(), time.process_time()
        work()
        times.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (time.process_time() - used))
    return statistics.median(times), statistics.median(busy)


if __name__ == "__main__":
    main()
