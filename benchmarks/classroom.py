"""A school behind one address, then a script with its leaked code: ``python -m benchmarks.classroom``.

300 pupils choose, write and send, all from one address and within ten minutes: none may be refused. Then 10,000 posts
come with the same code, each with a ticket of its own: the drive's limit must hold, and the desk must know.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from benchmarks import client, stage, visits
from benchmarks.client import Visit
from wfr.cases.models import Kind
from wfr.cases.queries import shelf, today
from wfr.drives.codes import code_of
from wfr.drives.links import LinkFor, link_token
from wfr.drives.models import Drive
from wfr.drives.queries import drives_at_limit
from wfr.drives.starting import NewDrive, confirm_drive, start_drive
from wfr.extensions import db

DATABASES = ("sqlite", "postgresql")
PUPILS = 300
POSTS = 10_000
CLIENTS = 32
PROCESSES = 2
PATIENT = "1000000 per minute"


def make_drive(scene: stage.Stage, hoped: int) -> tuple[int, str, str]:
    """Start and confirm a drive; return its id, its code and the address of a writing table in it."""
    with scene.app.app_context():
        season = shelf().season
        assert season is not None  # noqa: S101 -- the demonstration has one
        slug = next(case.slug for case in shelf().for_schools(today()) if case.target(Kind.LETTER))
        new = NewDrive(
            name="A school",
            country="TG",
            email="teacher@example.org",
            language="en",
            starts=today(),
            ends=today() + timedelta(days=3),
            cases=[slug],
            hoped=hoped,
        )
        drive = start_drive(season_slug=season.slug, new=new)
        drive = confirm_drive(token=link_token(drive, LinkFor.CONFIRM))
        code = code_of(db.session, drive)
        assert code is not None  # noqa: S101 -- it was just confirmed
        db.session.remove()
        return drive.id, code, f"/join/{code}/{slug}/letter"


def pupil(code: str, path: str) -> Visit:
    """What one pupil does."""
    visits.expect(visits.OK, (yield client.get(f"/join/{code}", encoding="")), code)
    form = yield client.get(path, encoding="")
    visits.expect(visits.OK, form, path)
    fields = {"ticket": visits.ticket_in(form.body), "name": "Kim", "own_words": "", "message": "", "paper": "A4"}
    visits.expect(visits.OK, (yield client.post(f"{path}/preview", fields, encoding="")), path)
    visits.expect(visits.OK, (yield client.post(path, fields, encoding="")), path)


def flood(path: str, tickets: list[str], answers: Counter[int]) -> Iterator[Visit]:
    """Yield a post with each ticket, and note how it was answered."""

    def visit(ticket: str) -> Visit:
        answer = yield client.post(path, {"ticket": ticket, "name": "", "message": "", "paper": "A4"}, encoding="")
        answers[answer.status] += 1

    for ticket in tickets:
        yield visit(ticket)


def main() -> None:
    """Do it on each database and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=DATABASES, action="append", help="Default: both.")
    parser.add_argument("--posts", type=int, default=POSTS)
    chosen = parser.parse_args()
    for sort in chosen.database or DATABASES:
        with stage.open_stage(sort) as scene:
            _measure(scene, chosen.posts)


def _measure(scene: stage.Stage, posts: int) -> None:
    drive_id, code, path = make_drive(scene, PUPILS)
    settings = {"RATELIMIT_ENABLED": "1", "WEB_CONCURRENCY": PROCESSES}
    with stage.serve(scene, **settings) as web:
        crowd = client.run_all(web.address, (pupil(code, path) for _ in range(PUPILS)), clients=CLIENTS)
    joined = scene.pledged()
    print(f"{scene.database_version()}: {PUPILS} pupils from one address in {crowd.seconds:.1f} s, {joined} counted")
    # The limit on how fast a code may be used is taken away, so that only the drive's own limit stands in the way.
    with stage.serve(scene, **settings, WFR_LIMIT_JOINS=PATIENT) as web:
        tickets: list[str] = []
        client.run_all(web.address, _tickets(path, posts, tickets), clients=CLIENTS)
        answers: Counter[int] = Counter()
        storm = client.run_all(web.address, flood(path, tickets, answers), clients=CLIENTS)
    with scene.app.app_context():
        drive = db.session.get_one(Drive, drive_id)
        told, limit, counted = drives_at_limit(), drive.limit, drive.joined
        db.session.remove()
    print(
        f"  {posts:,} posts with the leaked code in {storm.seconds:.1f} s: answered {dict(answers)}; "
        f"{counted} counted of at most {limit}, {scene.pledged()} pledges; drives at their limit, at the desk: {told}; "
        f"{scene.verify()}",
        flush=True,
    )
    if joined != PUPILS or counted != limit or scene.pledged() != limit or told != 1:
        raise SystemExit(1)


def _tickets(path: str, how_many: int, into: list[str]) -> Iterator[Visit]:
    def visit() -> Visit:
        form = yield client.get(path, encoding="")
        visits.expect(visits.OK, form, path)
        into.append(visits.ticket_in(form.body))

    return (visit() for _ in range(how_many))


if __name__ == "__main__":
    main()
