"""A backup made on one database can be restored on the other, whole."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from tests import factories
from tests.conftest import _administer as administer
from tests.conftest import _named as named
from tests.conftest import make_settings
from wfr import backup, create_app, paths, schema
from wfr.cases.models import Season
from wfr.extensions import db
from wfr.pledges.simulating import load_demonstration

MakeApp = Callable[[str], Flask]


@pytest.fixture
def make_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeApp]:
    """Return a function that makes an app on a new, migrated database of a sort."""
    made: list[Flask] = []
    with ExitStack() as cleaning:

        def make(sort: str) -> Flask:
            folder = tmp_path / f"{sort}{len(made)}"
            folder.mkdir()
            address = f"sqlite:///{folder / 'wfr.db'}"
            if sort == "postgresql":
                server = request.getfixturevalue("postgresql")
                name = f"backup_{abs(hash(folder)):x}"
                administer(server, f"CREATE DATABASE {name}")
                cleaning.callback(administer, server, f"DROP DATABASE {name} WITH (FORCE)")
                address = named(server, name)
            app = create_app(make_settings(folder, address))
            schema.upgrade(app, folder)
            made.append(app)
            return app

        yield make
        for app in made:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


def everything(app: Flask) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(*table.columns))))
            for table in db.metadata.sorted_tables
        }


def make(app: Flask, file: Path) -> dict[str, int]:
    """Back `app` up."""
    with app.app_context():
        return backup.make_backup(db.engine, db.metadata, uploads(app), file)


def restore(app: Flask, file: Path, *, force: bool = False) -> dict[str, int]:
    """Restore into `app`."""
    with app.app_context():
        return backup.restore_backup(db.engine, db.metadata, uploads(app), file, force=force)


def uploads(app: Flask) -> Path:
    """Return the folder of uploads."""
    folder: Path = app.extensions["wfr.settings"].uploads
    return folder


def load(app: Flask) -> None:
    """Fill `app` with the whole demonstration, simulated pledges too."""
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=True)


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
def test_everything_comes_back_on_either_database(make_app: MakeApp, tmp_path: Path, source: str, target: str) -> None:
    before, after = make_app(source), make_app(target)
    load(before)
    uploads(before).mkdir()
    (uploads(before) / "logo.svg").write_text("<svg/>")

    counts = make(before, tmp_path / "wfr.zip")
    assert restore(after, tmp_path / "wfr.zip") == counts

    assert counts["pledges"] > 1_000
    assert everything(after) == everything(before)
    assert (uploads(after) / "logo.svg").read_text() == "<svg/>"


@pytest.mark.parametrize("sort", ["sqlite", "postgresql"])
def test_numbering_goes_on_after_the_restored_rows(make_app: MakeApp, tmp_path: Path, sort: str) -> None:
    before, after = make_app("sqlite"), make_app(sort)
    load(before)
    make(before, tmp_path / "wfr.zip")
    restore(after, tmp_path / "wfr.zip")
    with after.app_context():
        highest = db.session.scalar(select(func.max(Season.id)))
        old = db.session.get_one(Season, highest)
        values = {column.name: getattr(old, column.name) for column in Season.__table__.columns}
        season = Season(**{**values, "id": None, "slug": "next"})
        db.session.add(season)
        db.session.flush()
        assert season.id > highest
        db.session.rollback()


@pytest.mark.parametrize("sort", ["sqlite", "postgresql"])
def test_a_database_that_holds_something_is_refused_unless_forced(make_app: MakeApp, tmp_path: Path, sort: str) -> None:
    app, other = make_app(sort), make_app("sqlite")
    load(other)
    make(other, tmp_path / "wfr.zip")
    with app.app_context():
        factories.make_season()
    before = everything(app)

    with pytest.raises(backup.BackupError, match=r"not empty .*--force"):
        restore(app, tmp_path / "wfr.zip")
    assert everything(app) == before

    restore(app, tmp_path / "wfr.zip", force=True)
    assert everything(app) == everything(other)


def test_a_backup_is_of_one_moment(make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody pledges while the second half is being written: that pledge is in no table of the backup."""
    app = make_app("postgresql")
    load(app)
    write_table = backup._write_table
    seen: list[str] = []

    def write_and_interfere(archive: Any, connection: Any, table: Any) -> int:
        count = write_table(archive, connection, table)
        if not seen:
            with app.app_context(), db.engine.begin() as other:
                other.execute(text("DELETE FROM pledges"))
                other.execute(text("DELETE FROM tally_counts"))
        seen.append(table.name)
        return count

    before = everything(app)
    monkeypatch.setattr(backup, "_write_table", write_and_interfere)
    counts = make(app, tmp_path / "wfr.zip")
    assert counts["pledges"] == len(before["pledges"]) > 0
    assert counts["tally_counts"] == len(before["tally_counts"]) > 0


def test_a_backup_of_another_migration_is_refused(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app("sqlite")
    make(app, tmp_path / "wfr.zip")
    change_manifest(tmp_path / "wfr.zip", revision="0000")
    with pytest.raises(backup.BackupError, match="migration 0000"):
        restore(app, tmp_path / "wfr.zip")


def test_a_backup_that_lacks_rows_is_refused_and_nothing_changes(make_app: MakeApp, tmp_path: Path) -> None:
    app, other = make_app("sqlite"), make_app("sqlite")
    load(other)
    counts = make(other, tmp_path / "wfr.zip")
    change_manifest(tmp_path / "wfr.zip", rows={**counts, "pledges": counts["pledges"] + 1})
    before = everything(app)
    with pytest.raises(backup.BackupError, match="incomplete"):
        restore(app, tmp_path / "wfr.zip")
    assert everything(app) == before


@pytest.mark.parametrize("content", [b"", b"PK not really", b"\0" * 1000])
def test_what_is_no_backup_is_refused(make_app: MakeApp, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "wfr.zip").write_bytes(content)
    with pytest.raises(backup.BackupError, match="not a backup"):
        restore(make_app("sqlite"), tmp_path / "wfr.zip")


def test_uploads_never_leave_their_folder(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app("sqlite")
    make(app, tmp_path / "wfr.zip")
    with zipfile.ZipFile(tmp_path / "wfr.zip", "a") as archive:
        archive.writestr("uploads/../../stolen", "x")
    with pytest.raises(backup.BackupError, match="outside"):
        restore(app, tmp_path / "wfr.zip")
    assert not (tmp_path / "stolen").exists()


def test_a_backup_is_its_owners_and_replaces_the_old_one_whole(make_app: MakeApp, tmp_path: Path) -> None:
    file = tmp_path / "wfr.zip"
    file.write_text("yesterday's")
    make(make_app("sqlite"), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert zipfile.ZipFile(file).testzip() is None
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["wfr.zip"]


def test_no_secret_is_in_a_backup(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app("sqlite")
    make(app, tmp_path / "wfr.zip")
    assert not any("secret" in name for name in zipfile.ZipFile(tmp_path / "wfr.zip").namelist())


def change_manifest(file: Path, **changes: Any) -> None:
    """Write `file` anew with another manifest."""
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["manifest.json"] = json.dumps({**json.loads(contents["manifest.json"]), **changes}).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
