"""One share link that everybody opens, and pledges that come of it: ``python -m benchmarks.sharing``.

Every opening is a write to the same row; the page beside it and the pledge without a link say what that costs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from benchmarks import client, stage, visits
from benchmarks.client import Visit
from wfr.cases.queries import shelf
from wfr.extensions import db
from wfr.share.codes import EVERYBODY, ShareCode
from wfr.share.queries import Came, came_of

DATABASES = ("sqlite", "postgresql")
CLIENTS = 16
SECONDS = 5
WARM_SECONDS = 1
ROUNDS = 3


def main() -> None:
    """Do it on each database and print what came of it; the rates are medians of rounds that take turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=DATABASES, action="append", help="Default: both.")
    for sort in parser.parse_args().database or DATABASES:
        with stage.open_stage(sort) as scene:
            _measure(scene)


def _measure(scene: stage.Stage) -> None:
    writing = visits.letter_path(scene.app)
    code = _code_for(scene, writing.split("/")[2])
    with stage.serve(scene, WEB_CONCURRENCY=2, WFR_THREADS=4) as web:
        form: list[bytes] = []
        client.once(web.address, _read(f"{writing}?via={code}", form))
        through = visits.filled_form(form[0])
        plain = {name: value for name, value in through.items() if name != "via"}
        kinds: dict[str, Callable[[], Visit]] = {
            "case page": visits.page(writing.removesuffix("/letter")),
            "share link": visits.page(f"/s/{code}"),
            "whole pledge": visits.whole_pledge(writing, plain),
            "whole pledge through the link": visits.whole_pledge(writing, through),
        }
        rates: dict[str, list[float]] = {what: [] for what in kinds}
        for _ in range(ROUNDS):
            for what, visit in kinds.items():
                client.run(web.address, visit, clients=CLIENTS, seconds=WARM_SECONDS)
                rates[what].append(client.run(web.address, visit, clients=CLIENTS, seconds=SECONDS).per_second)
    time.sleep(2)  # what was gathered is written within a second
    came = _came(scene)
    print(f"{scene.database_version()}:", flush=True)
    for what, found in rates.items():
        print(f"  {what}: {sorted(found)[ROUNDS // 2]:,.0f} per second")
    print(f"  openings counted: {came.previews:,}; actions through the link: {came.actions:,}; {scene.verify()}")


def _code_for(scene: stage.Stage, slug: str) -> str:
    with scene.app.app_context():
        return ShareCode(shelf().case(slug).id, "x").text


def _came(scene: stage.Stage) -> Came:
    with scene.app.app_context():
        came = came_of(EVERYBODY)
        db.session.remove()
        return came


def _read(path: str, into: list[bytes]) -> Visit:
    answer = yield client.get(path)
    visits.expect(visits.OK, answer, path)
    into.append(visits.body_of(answer))


if __name__ == "__main__":
    main()
