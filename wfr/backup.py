"""Backup and restore: one archive that fits SQLite and PostgreSQL alike.

The archive is a zip file: `manifest.json`, a file of JSON lines for each table, and the uploads. Values are
written by the type of their column, so a backup made on one database fits the other. It holds no secret key.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Engine, MetaData, Table, func, select, text
from sqlalchemy.types import JSON

from wfr import schema
from wfr.sqlite import WRITES

FORMAT = 1
BATCH = 1_000
STAMP_TABLE = "installation"
"""The one table in which even an unused database may have a row; a restore replaces it."""

_WRITERS: dict[type, Callable[[Any], Any]] = {
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    UUID: str,
    Decimal: str,
    bytes: lambda value: base64.b64encode(value).decode(),
}
_READERS: dict[type, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    UUID: UUID,
    Decimal: Decimal,
    bytes: base64.b64decode,
}
_AS_THEY_ARE = (str, int, float, bool)


class BackupError(Exception):
    """The backup cannot be made or restored; the message says why and what to do."""


def make_backup(engine: Engine, metadata: MetaData, uploads: Path, file: Path) -> dict[str, int]:
    """Write everything to `file` (readable by its owner only) and return the number of rows by table.

    All rows are of one moment; people may go on writing meanwhile. An existing `file` is replaced once the
    new one is complete, never before. Raises `BackupError`.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
    try:
        with handle, zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            with _snapshot(engine) as connection:
                revision = _revision(connection)
                counts = {table.name: _write_table(archive, connection, table) for table in metadata.sorted_tables}
            manifest = {
                "format": FORMAT,
                "revision": revision,
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "rows": counts,
                "uploads": _write_uploads(archive, uploads),
            }
            archive.writestr("manifest.json", json.dumps(manifest, indent=1))
            archive.close()
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return counts


def restore_backup(
    engine: Engine, metadata: MetaData, uploads: Path, file: Path, *, force: bool = False
) -> dict[str, int]:
    """Put everything in `file` into the database, in one transaction, and return the number of rows by table.

    A database that holds anything is refused unless `force` is given, which deletes what it holds.
    Raises `BackupError`; then nothing has changed.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile) as problem:
        raise BackupError(f"{file} is not a backup that can be read ({problem}).") from problem
    with archive, engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        manifest = _manifest(archive, file)
        _check(connection, metadata, manifest, force=force)
        with _triggers_off(connection, metadata):
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        counts = {table.name: _read_table(archive, connection, table) for table in metadata.sorted_tables}
        if counts != manifest["rows"]:
            raise BackupError(f"{file} is incomplete: it does not hold the rows that it lists.")
        _reset_sequences(connection, metadata)
        _read_uploads(archive, uploads)
    return counts


@contextmanager
def _triggers_off(connection: Connection, metadata: MetaData) -> Iterator[None]:
    """Let rows be deleted that are otherwise only ever added: the whole database gives way to another."""
    if connection.dialect.name == "postgresql":
        tables = [connection.dialect.identifier_preparer.format_table(table) for table in metadata.sorted_tables]
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield
        # What was deleted still has deferred foreign keys to be looked at, and a table that has cannot be altered.
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    triggers = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _sql in triggers:
        connection.execute(text(f"DROP TRIGGER {connection.dialect.identifier_preparer.quote(name)}"))
    yield
    for _name, sql in triggers:
        connection.exec_driver_sql(sql)


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    # SQLite's read transaction is a snapshot by itself, from its first read on.
    choices: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        choices = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**choices) as connection, connection.begin():
        yield connection


def _revision(connection: Connection) -> str:
    revision = schema.revision_of(connection)
    if revision is None:
        raise BackupError("The database has never been set up: run wfr db upgrade first.")
    return revision


def _manifest(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    except (KeyError, ValueError, zipfile.BadZipFile) as problem:
        raise BackupError(f"{file} is not a backup of this program.") from problem
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{file} has format {manifest.get('format')}; this program reads format {FORMAT}.")
    return manifest


def _check(connection: Connection, metadata: MetaData, manifest: dict[str, Any], *, force: bool) -> None:
    revision = _revision(connection)
    if manifest["revision"] != revision:
        raise BackupError(
            f"The backup is of migration {manifest['revision']}, the database is at {revision}. "
            "Restore it with the version that made it, then upgrade that."
        )
    strangers = set(manifest["rows"]) - set(metadata.tables)
    if strangers:
        raise BackupError(f"The backup has tables that this program does not know: {', '.join(sorted(strangers))}.")
    full = [
        table.name
        for table in metadata.sorted_tables
        if table.name != STAMP_TABLE and connection.execute(select(text("1")).select_from(table).limit(1)).first()
    ]
    if full and not force:
        raise BackupError(
            f"The database is not empty ({', '.join(full)}). Restore into an empty one, "
            "or add --force to delete what it holds."
        )


def _python_type(column: Column[Any]) -> type | None:
    if isinstance(column.type, JSON):
        return None
    kind = column.type.python_type
    if kind not in _WRITERS and kind not in _AS_THEY_ARE:
        raise BackupError(f"Column {column} has a type that backups do not know: {column.type!r}.")
    return kind


def _converters(table: Table, known: dict[type, Callable[[Any], Any]]) -> list[tuple[str, Callable[[Any], Any] | None]]:
    kinds = ((column.name, _python_type(column)) for column in table.columns)
    return [(name, known.get(kind) if kind else None) for name, kind in kinds]


def _convert(values: Iterable[Any], converters: list[tuple[str, Callable[[Any], Any] | None]]) -> dict[str, Any]:
    return {
        name: value if value is None or convert is None else convert(value)
        for (name, convert), value in zip(converters, values, strict=True)
    }


def _write_table(archive: zipfile.ZipFile, connection: Connection, table: Table) -> int:
    converters = _converters(table, _WRITERS)
    count = 0
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as out:
        for row in connection.execution_options(yield_per=BATCH).execute(select(*table.columns)):
            out.write(json.dumps(_convert(row, converters), ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            count += 1
    return count


def _read_table(archive: zipfile.ZipFile, connection: Connection, table: Table) -> int:
    converters = _converters(table, _READERS)
    names = [name for name, _ in converters]
    count = 0
    with archive.open(f"tables/{table.name}.jsonl") as raw:
        lines = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
        while batch := list(islice(lines, BATCH)):
            rows = (json.loads(line) for line in batch)
            connection.execute(table.insert(), [_convert((row[name] for name in names), converters) for row in rows])
            count += len(batch)
    return count


def _reset_sequences(connection: Connection, metadata: MetaData) -> None:
    """Let PostgreSQL go on numbering after the restored rows; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        quoted = connection.dialect.identifier_preparer.format_table(table)
        sequence = connection.scalar(select(func.pg_get_serial_sequence(quoted, column.name)))
        if sequence:
            highest = connection.scalar(select(func.max(column)))
            connection.execute(select(func.setval(sequence, highest or 1, highest is not None)))


def _write_uploads(archive: zipfile.ZipFile, uploads: Path) -> int:
    files = sorted(path for path in uploads.rglob("*") if path.is_file()) if uploads.is_dir() else []
    for path in files:
        archive.write(path, f"uploads/{path.relative_to(uploads).as_posix()}")
    return len(files)


def _read_uploads(archive: zipfile.ZipFile, uploads: Path) -> None:
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename)
        if path.parts[:1] != ("uploads",) or entry.is_dir():
            continue
        if ".." in path.parts:
            raise BackupError(f"The backup holds a file outside its uploads: {entry.filename}.")
        target = uploads.joinpath(*path.parts[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
