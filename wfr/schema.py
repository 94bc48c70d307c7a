"""The database's migrations: where it stands, and bringing it to the newest."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import flask_migrate
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection, text

from wfr import paths
from wfr.extensions import db

_ADVISORY_LOCK = 0x776672
"""Number of the PostgreSQL lock under which migrations run; the letters "wfr"."""


def revision_of(connection: Connection) -> str | None:
    """Return the migration that the database is at, or None when it has never been migrated."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def newest_revision() -> str | None:
    """Return the newest migration that this program has."""
    return ScriptDirectory(str(paths.MIGRATIONS)).get_current_head()


def upgrade(app: Flask, data: Path) -> bool:
    """Bring the database to the newest migration, one process at a time; say whether there was any need.

    `data` is the data folder: where the database is a file, the lock that others wait for is kept there.
    """
    data.mkdir(parents=True, exist_ok=True)
    with app.app_context(), _alone(data):
        with db.engine.connect() as connection:
            if revision_of(connection) == newest_revision():
                return False
        flask_migrate.upgrade(directory=str(paths.MIGRATIONS))
        return True


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            connection.execute(text("select pg_advisory_lock(:number)"), {"number": _ADVISORY_LOCK})
            try:
                yield
            finally:
                connection.execute(text("select pg_advisory_unlock(:number)"), {"number": _ADVISORY_LOCK})
        return
    with (data / "upgrade.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
