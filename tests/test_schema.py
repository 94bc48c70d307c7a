"""The migrations and the models say the same, and an upgrade loses no row."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import MetaData, create_engine, func, make_url, select, text

from tests.conftest import make_settings
from wfr import create_app, paths
from wfr.extensions import db

NOW = "2026-11-21 12:00:00"


def test_a_migrated_database_lacks_nothing_that_the_models_have(app: Flask) -> None:
    with app.app_context():
        flask_migrate.check(directory=str(paths.MIGRATIONS))


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> str:
    """The address of a database that was never migrated, of the same sort."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/old.db"
    name = f"old_{uuid4().hex[:12]}"
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    engine.dispose()
    return make_url(database_url).set(database=name).render_as_string(hide_password=False)


def fill(rows: list[tuple[str, dict[str, Any]]]) -> None:
    """Add rows to the tables as they are at this revision; what must not be empty and is not given is made up."""
    found = MetaData()
    found.reflect(db.engine)
    with db.engine.begin() as connection:
        for name, values in rows:
            table = found.tables[name]
            made: dict[str, Any] = {
                column.name: made_up(column) for column in table.columns if not column.nullable and not column.default
            }
            connection.execute(table.insert().values({**made, **values}))


def made_up(column: Any) -> Any:
    """Return some value of a column's type."""
    sort = str(column.type).upper()
    if "JSON" in sort:
        return []
    if "DATE" in sort or "TIME" in sort:
        return func.current_timestamp() if "TIME" in sort else func.current_date()
    if "BOOL" in sort:
        return False
    return 1 if "INT" in sort else "x"


def counts() -> dict[str, int]:
    """Return how many rows each table has."""
    found = MetaData()
    found.reflect(db.engine)
    with db.engine.connect() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in found.tables.items()
        }


def test_an_upgrade_of_a_database_in_use_keeps_every_row(empty: str, tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path, empty))
    migrations = str(paths.MIGRATIONS)
    with app.app_context():
        flask_migrate.upgrade(directory=migrations, revision="0002")
        fill(
            [
                ("accounts", {"id": 1, "name": "rhea"}),
                ("seasons", {"id": 1, "slug": "old"}),
                *(("cases", {"id": number, "slug": f"case-{number}", "season_id": 1}) for number in (1, 2)),
                *(("case_texts", {"id": number, "case_id": number, "language": "en"}) for number in (1, 2)),
                ("targets", {"id": 1, "case_id": 1}),
                ("case_versions", {"id": 1, "case_id": 1}),
                *(
                    ("consents", {"id": case, "case_id": case, "feeds": True, "on_x": case == 1, "schools": case == 1})
                    for case in (1, 2)
                ),
                ("pledges", {"id": uuid4().hex, "case_id": 1, "state": "pledged"}),
            ]
        )
        before = counts()
        flask_migrate.upgrade(directory=migrations)
        after = counts()
        assert {name: after[name] for name in before} == before
        with db.engine.connect() as connection:
            covered = connection.execute(text("select schools, feeds, on_x from cases order by id")).all()
        assert [tuple(map(bool, row)) for row in covered] == [(True, True, True), (False, True, False)]
        flask_migrate.downgrade(directory=migrations, revision="0002")
        assert counts() == before
        db.session.remove()
        db.engine.dispose()
