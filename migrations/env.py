"""Alembic's environment: migrate the database of the current app, on SQLite by copying tables where it must."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy import Connection

database = current_app.extensions["migrate"].db


def run(connection: Connection) -> None:
    """Run the migrations over one connection, all in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


@contextmanager
def tables_may_be_copied(connection: Connection) -> Iterator[None]:
    """Let SQLite copy a table and drop the old one without deleting every row that refers to it.

    Its foreign keys would cascade; they are looked at as a whole before the commit instead. The setting cannot be
    changed inside a transaction, so it is the driver's own connection that is told.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


with database.engine.connect() as connection, tables_may_be_copied(connection):
    run(connection)
    if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise RuntimeError(f"a migration left rows that refer to nothing: {broken[:5]}")
    connection.commit()
