"""Time the printing of many letters: ``python -m benchmarks.letters``. One, two hundred, five hundred; their memory.

The children of the press are measured with their parent: what `/proc` says is theirs alone and their part of what they
share (PSS), as the sum over all, looked at twenty times a second.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import render_template

from benchmarks import machine, stage
from benchmarks.visits import letter_path
from wfr.cases.queries import shelf
from wfr.letters.merging import Letter
from wfr.letters.packing import LETTERS_A_FILE, PackOrder, Portion, class_letter, print_pack
from wfr.letters.printing import Signer, print_class_letters

ROUNDS = 3
SINGLE_ROUNDS = 30
LOOK_SECONDS = 0.05


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    print(machine.description())
    with stage.open_stage("sqlite") as scene:
        slug = letter_path(scene.app).split("/")[2]
        with scene.app.test_request_context():
            names = [f"Ana Ribeiro {number}" for number in range(500)]
            # Children first: the fonts that the last figures load here would count with theirs.
            with peak_memory() as peak:
                say("200 letters, a process per core", rounds, lambda: _pack(slug, names[:200]))
                say("500 letters, a process per core", rounds, lambda: _pack(slug, names))
            print(f"memory at the most: {peak[0]:,.0f} MB, of which the children of the press {peak[1]:,.0f} MB")
            letter = class_letter(shelf().case(slug), "en", names)
            _alone(letter, names[:1])
            say("a single letter, warm", SINGLE_ROUNDS, lambda: _alone(letter, names[:1]))
            say("200 letters as one document, on one core", rounds, lambda: _alone(letter, names[:200]))


def say(what: str, rounds: int, work: Callable[[], object]) -> None:
    """Do `work` several times; print the median of its seconds, the least and the most, and of its processor's."""
    times, busy = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), _processor()
        work()
        times.append(time.perf_counter() - began)
        busy.append(_processor() - used)
    print(
        f"{what}: {statistics.median(times):,.3f} s ({min(times):,.3f} to {max(times):,.3f}, {rounds} times), "
        f"{statistics.median(busy):,.3f} s of processor"
    )


def _processor() -> float:
    """Return the seconds of processor time of this process and of the children that have ended."""
    return sum(os.times()[:4])


def _pack(slug: str, names: list[str]) -> None:
    order = PackOrder((Portion(slug, len(names)),), "A4", "en")
    files = sum(1 for _ in print_pack(order, names=names, render=render_template))
    assert files == -(-len(names) // LETTERS_A_FILE)  # noqa: S101 -- a figure of half the work is none


def _alone(letter: Letter, names: list[str]) -> None:
    print_class_letters(letter, [Signer(name) for name in names], paper="A4", render=render_template)


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """Watch this process and its children; the list has the most (MB) of all together, and of the children then."""
    most, done = [0.0, 0.0], threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_SECONDS):
            own, others = _memory(os.getpid()), sum(map(_memory, _children(os.getpid())))
            if own + others > most[0]:
                most[:] = [own + others, others]

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found


def _memory(process: int) -> float:
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
