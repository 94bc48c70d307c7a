"""What SQLite needs of us to serve a web site well: its settings, and writers that queue instead of polling."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import TimeoutError as WaitedTooLong

BUSY_TIMEOUT_SECONDS = 10.0
NAP_SECONDS = 0.0003
WRITES = "wfr_writes"
"""The execution option of a connection that is going to write."""


def prepare(engine: Engine) -> None:
    """Set what each connection needs, and begin writing transactions with the write lock.

    A transaction that reads first and writes later could fail half-way; ``BEGIN IMMEDIATE`` can only wait.
    """

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        # The hook below begins transactions; the driver's own implicit ones would get in its way.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={int(BUSY_TIMEOUT_SECONDS * 1000)}",
            "foreign_keys=ON",
            "secure_delete=ON",
            "cache_size=-16000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class WriteGate:
    """Lets one writer at a time into the database file.

    SQLite lets one writer in as well, but those who wait for it sleep longer and longer: thirty threads that write at
    once came to forty transactions a second. Threads of one process queue at a lock, processes at a lock on a file.
    Correctness never depends on it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._turn = threading.Lock()
        self._handle = -1
        self._owner = 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Wait for the turn, at most `BUSY_TIMEOUT_SECONDS`; raises SQLAlchemy's `TimeoutError`."""
        ends = time.monotonic() + BUSY_TIMEOUT_SECONDS
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            raise WaitedTooLong("too many writers")
        try:
            handle = self._lock_file()
            while not _locked(handle):
                if time.monotonic() > ends:
                    raise WaitedTooLong("another process keeps writing")
                time.sleep(NAP_SECONDS)
            try:
                yield
            finally:
                fcntl.flock(handle, fcntl.LOCK_UN)
        finally:
            self._turn.release()

    def _lock_file(self) -> int:
        # A lock belongs to the open file: a forked process has to open its own.
        if self._owner != os.getpid():
            self._handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._owner = os.getpid()
            weakref.finalize(self, os.close, self._handle)
        return self._handle


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
