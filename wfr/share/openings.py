"""Openings of share links, gathered by each process and written once a second.

Everybody who opens a popular link would wait for the same row, and for the database while it hangs; a page that is
answered from memory must not. What a process has gathered in its last second is lost if it is killed.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from wfr.errors import AWAY
from wfr.share.codes import ShareCode
from wfr.share.linking import record_openings

if TYPE_CHECKING:
    from flask import Flask

PAUSE_SECONDS = 1.0
MOST_WAITING = 10_000
"""Links whose openings wait at once; while the database is away for long, further links are not counted."""

log = structlog.get_logger(__name__)


class Openings:
    """The openings that one process has seen and not yet written."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._waiting: Counter[tuple[ShareCode, bool]] = Counter()
        self._changed = threading.Condition()
        self._writing = False
        self._ended = False

    def add(self, code: ShareCode, *, preview: bool) -> None:
        """Count one opening of a link, by a person or by a program that makes a preview."""
        with self._changed:
            if len(self._waiting) < MOST_WAITING or (code, preview) in self._waiting:
                self._waiting[code, preview] += 1
            if not self._writing and not self._ended:
                self._writing = True
                threading.Thread(target=self._write, name="openings", daemon=True).start()

    def flush(self) -> None:
        """Write what waits now; while the database is away it goes on waiting."""
        with self._changed:
            taken, self._waiting = self._waiting, Counter()
        if not taken:
            return
        try:
            with self._app.app_context():
                record_openings(taken)
        except AWAY as problem:
            log.warning("openings_wait", error=type(problem).__name__, links=len(taken))
            with self._changed:
                self._waiting += taken

    def end(self) -> None:
        """Write what waits and begin nothing any more, because the process is told to end."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self.flush()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended, PAUSE_SECONDS)
                if self._ended or not self._waiting:
                    self._writing = False
                    return
            self.flush()
