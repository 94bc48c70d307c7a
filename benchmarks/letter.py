"""Time the printing of letters: ``python -m benchmarks.letter``. One warm letter, and fifty in one file."""

from __future__ import annotations

import argparse
import statistics
import time

from flask import render_template

from benchmarks import machine, stage
from benchmarks.visits import OWN, letter_path
from wfr.cases.models import Kind
from wfr.cases.queries import shelf, today
from wfr.letters.merging import Letter, PersonalLines, merge_letter
from wfr.letters.printing import Slip, print_letters

ROUNDS = 15
MANY = 50


def main() -> None:
    """Print both times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    print(machine.description())
    with stage.open_stage("sqlite") as scene:
        slug = letter_path(scene.app).split("/")[2]
        with scene.app.test_request_context():
            letter = _letter(slug)
            slip = Slip(letter.case_name, "http://127.0.0.1:8000/posted/" + "t" * 66)
            began = time.perf_counter()
            print_letters([letter], paper="A4", render=render_template, slips=[slip])
            print(f"the first letter of a process: {(time.perf_counter() - began) * 1000:,.0f} ms")
            times = [_timed([letter], slip) for _ in range(chosen.rounds)]
            print(f"a warm letter: {statistics.median(times):,.0f} ms ({min(times):,.0f} to {max(times):,.0f})")
            many = _timed([letter] * MANY, slip)
            print(f"{MANY} letters in one file: {many:,.0f} ms, {many / MANY:,.0f} ms a letter")


def _letter(slug: str) -> Letter:
    case = shelf().case(slug)
    target = case.target(Kind.LETTER)
    assert target is not None  # noqa: S101 -- the case was chosen for it
    lines = PersonalLines(**OWN)
    return merge_letter(
        case, Kind.LETTER, target, lines, today=today(), language="en", demonstration=shelf().demonstration
    )


def _timed(letters: list[Letter], slip: Slip) -> float:
    began = time.perf_counter()
    print_letters(letters, paper="A4", render=render_template, slips=[slip])
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
