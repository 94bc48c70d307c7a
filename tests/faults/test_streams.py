"""Live numbers from a real server: told about everybody's pledges, and never at the expense of the pages."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from flask import Flask

from benchmarks.stage import wait_until
from tests.factories import Cast
from tests.faults.visiting import PATH, PATIENCE_SECONDS, Ledger, Listener, Serve, browser
from wfr.cases.models import Case, Kind
from wfr.extensions import db
from wfr.pledges.pledging import Promise, pledge

pytestmark = pytest.mark.faults

ROOM = 4
PAGES = ("/", "/cases/ada-vale", "/stories", "/tally", "/tally.json", PATH)


def pledge_here(app: Flask, slug: str) -> None:
    """Record a pledge from this process, past the server."""
    with app.app_context():
        case_id = db.session.query(Case.id).filter_by(slug=slug).scalar()
        pledge([Promise(uuid4(), case_id, Kind.LETTER, "TG", "en")])


def test_a_pledge_made_in_another_process_is_heard_by_everybody_who_listens(
    serve: Serve, app: Flask, season: Cast, ledger: Ledger
) -> None:
    with serve(WEB_CONCURRENCY=1) as server:
        listeners = [Listener(server.port) for _ in range(2)]
        try:
            for listener in listeners:
                listener.hears('visually-hidden">0<')
            pledge_here(app, season.tiny)
            for listener in listeners:
                listener.hears('visually-hidden">1<')
        finally:
            for listener in listeners:
                listener.leave()
    assert ledger.drift() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_with_every_stream_taken_others_are_sent_to_poll_and_all_pages_are_answered(
    serve: Serve, app: Flask, season: Cast
) -> None:
    with serve(WFR_THREADS=2 * ROOM, WFR_STREAMS=ROOM) as server, browser(server.port) as visitor:
        listeners = [Listener(server.port) for _ in range(3 * ROOM)]
        try:
            assert sorted(listener.status for listener in listeners) == [200] * ROOM + [204] * 2 * ROOM
            for page in PAGES * 3:
                assert visitor.get(page).status == 200, page
            assert visitor.pledge(visitor.ticket()).status == 200
        finally:
            for listener in listeners:
                listener.leave()

        def there_is_room_again() -> bool:
            # A server learns that a browser has left when it has something to tell it.
            pledge_here(app, season.tiny)
            time.sleep(1)
            late = Listener(server.port)
            late.leave()
            return late.status == 200

        assert wait_until(there_is_room_again, PATIENCE_SECONDS)
