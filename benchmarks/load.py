"""Measure the site under load: ``python -m benchmarks.load --database sqlite --rows 0 --markdown``.

Each size of the ledger gets a database, two web processes and a stream process of its own, on loopback only.
Clients are closed-loop: each waits for its answer before it asks again. Figures without a unit are per second.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import client, machine, stage, viewers, visits
from benchmarks.client import Figure, Visit
from benchmarks.filling import fill
from benchmarks.machine import Shares

DATABASES = ("sqlite", "postgresql")
ROWS = (0, 100_000, 1_000_000)
CLIENTS = 16
PROCESSES = 2
WARM_SECONDS = 1.0
LAG_ROUNDS = 8

HEAD = (
    "database",
    "rows",
    "what",
    "per second",
    "p50 ms",
    "p99 ms",
    "web ms each",
    "web",
    "database",
    "generator",
    "others",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    database: str
    rows: int
    what: str
    figure: Figure
    shares: Shares

    def cells(self) -> list[str]:
        """Return its cells, in the order of `HEAD`."""
        rate = "" if self.what.startswith("lag") else f"{self.figure.per_second:,.0f}"
        # What one costs the web processes hardly depends on who else uses the machine; the rate does.
        cost = f"{1000 * self.shares.server / self.figure.per_second:.2f}" if rate else ""
        percentiles = (f"{self.figure.percentile(share):,.1f}" for share in (0.5, 0.99))
        cores = (self.shares.server, self.shares.database, self.shares.generator, self.shares.others)
        return [
            self.database,
            f"{self.rows:,}",
            self.what,
            rate,
            *percentiles,
            cost,
            *(f"{share:.2f}" for share in cores),
        ]


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured, and for how long."""

    seconds: float
    clients: int
    viewers: int
    threads: int
    encoding: str


def measure(sort: str, rows: int, run: Run) -> Iterator[Line]:
    """Yield the lines of one database at one size. Raises when tally and ledger differ before or after."""
    with stage.open_stage(sort) as scene:
        fill(scene.app, rows)
        print(f"\n{scene.database_version()}, {rows:,} rows: {scene.verify()}", flush=True)
        with stage.serve(scene, WEB_CONCURRENCY=PROCESSES, WFR_THREADS=run.threads) as web:
            for what, visit in _visits(scene, web, run.encoding).items():
                client.run(web.address, visit, clients=run.clients, seconds=WARM_SECONDS)
                with _watched(scene, [web]) as line:
                    yield line(what, rows, client.run(web.address, visit, clients=run.clients, seconds=run.seconds))
            if run.viewers:
                yield from _lag(scene, web, rows, run)
        print(f"after it: {scene.verify()}", flush=True)


def _visits(scene: stage.Stage, web: stage.Server, encoding: str) -> dict[str, Callable[[], Visit]]:
    writing = visits.letter_path(scene.app)
    form = _fetch(web, writing)
    return {
        "home": visits.page("/", encoding=encoding),
        "case page": visits.page(writing.removesuffix("/letter"), encoding=encoding),
        "tally fragment": visits.page("/tally", encoding=encoding),
        "whole pledge (GET form, POST)": visits.whole_pledge(writing, visits.filled_form(form), encoding=encoding),
        "the same, answers uncompressed": visits.whole_pledge(writing, visits.filled_form(form), encoding=""),
    }


def _lag(scene: stage.Stage, web: stage.Server, rows: int, run: Run) -> Iterator[Line]:
    writing = visits.letter_path(scene.app)
    whole = visits.whole_pledge(writing, visits.filled_form(_fetch(web, writing)))
    total = scene.pledged()

    def pledge() -> int:
        nonlocal total
        client.once(web.address, whole())
        total += 1
        return total

    what = f"lag of a live number, {run.viewers:,} viewers"
    with (
        stage.serve(scene, module=stage.STREAM, WFR_STREAM_CONNECTIONS=2 * run.viewers) as stream,
        _watched(scene, [web, stream]) as line,
    ):
        lag = viewers.delivery_lag(stream.address, pledge, viewers=run.viewers, rounds=LAG_ROUNDS)
        yield line(what, rows, lag)


def _fetch(web: stage.Server, path: str) -> bytes:
    got: list[bytes] = []

    def visit() -> Visit:
        got.append(visits.body_of((yield client.get(path))))

    client.once(web.address, visit())
    return got[0]


@contextmanager
def _watched(scene: stage.Stage, servers: list[stage.Server]) -> Iterator[Callable[[str, int, Figure], Line]]:
    watch = machine.Watch([server.process.pid for server in servers], scene.postmaster)
    yield lambda what, rows, figure: Line(scene.sort, rows, what, figure, watch.shares())


def show(cells: list[str], *, markdown: bool) -> None:
    """Print one line of the table."""
    if markdown:
        print(f"| {' | '.join(cells)} |", flush=True)
    else:
        widths = (10, 9, 38, 10, 8, 8, 11, 5, 8, 9, 6)
        print(" ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)), flush=True)


def arguments() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=DATABASES, action="append", help="Default: both.")
    parser.add_argument(
        "--rows", type=int, action="append", help="Pledges in the ledger; may be repeated. Default: all."
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="How long each figure is measured.")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--viewers", type=int, default=1000, help="Open live streams; 0 leaves them out.")
    parser.add_argument("--threads", type=int, default=4, help="WFR_THREADS of each web process.")
    parser.add_argument("--encoding", default=client.ENCODING, help="Accept-Encoding; empty for uncompressed answers.")
    parser.add_argument("--markdown", action="store_true", help="Print the table for docs/performance.md at the end.")
    return parser.parse_args()


def main() -> None:
    """Measure everything that was asked for."""
    chosen = arguments()
    run = Run(chosen.seconds, chosen.clients, chosen.viewers, chosen.threads, chosen.encoding)
    print(machine.description())
    print(f"{PROCESSES} web processes of {run.threads} threads, {run.clients} clients; last columns: cores used")
    lines: list[Line] = []
    show(list(HEAD), markdown=False)
    for sort in chosen.database or DATABASES:
        for rows in chosen.rows or ROWS:
            for line in measure(sort, rows, run):
                show(line.cells(), markdown=False)
                lines.append(line)
    if chosen.markdown:
        print()
        show(list(HEAD), markdown=True)
        show(["---"] * len(HEAD), markdown=True)
        for line in lines:
            show(line.cells(), markdown=True)


if __name__ == "__main__":
    main()
