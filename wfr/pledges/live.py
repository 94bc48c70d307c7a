"""The live numbers: one reader a process, any number of listeners."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from wfr.errors import DATABASE_AWAY

if TYPE_CHECKING:
    from flask import Flask

PULSE_SECONDS = 1.0
# Only a write tells that a browser has gone, and its place is free for another only then.
HEARTBEAT_SECONDS = 3.0
LONGEST_STREAM_SECONDS = 15 * 60
RECONNECT_MILLISECONDS = 3_000


class NoRoom(Exception):
    """Every stream of this process is taken; the browser polls instead."""


@dataclass(frozen=True, slots=True)
class News:
    """What the listeners are told: a number that grows with each change, and the fragment itself."""

    version: int
    fragment: str


class Newsroom:
    """Reads the numbers once a second while anybody listens, and tells all listeners when they moved.

    `room` caps the listeners: in a process whose pages need the same threads, an open stream is a thread less.
    """

    def __init__(self, app: Flask, write: Callable[[], str], *, room: int) -> None:
        self._app = app
        self._write = write
        self._room = room
        self._news = News(0, "")
        self._changed = threading.Condition()
        self._listeners = 0
        self._reading = False
        self._ended = False

    @property
    def listeners(self) -> int:
        """How many streams are open in this process."""
        return self._listeners

    def listen(self) -> Iterator[str]:
        """Take a place and return the stream of server-sent events; raises `NoRoom`."""
        with self._changed:
            if self._listeners >= self._room:
                raise NoRoom
            self._listeners += 1
            # While nobody listened nobody read: what was told last is old, and a number must never jump back.
            told = 0 if self._reading else self._news.version
            if not self._reading:
                self._reading = True
                threading.Thread(target=self._read, name="newsroom", daemon=True).start()
        return _Stream(self._tell(told), self._leave)

    def end(self) -> None:
        """End every stream, because the process is told to end; browsers come back by themselves."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _leave(self) -> None:
        with self._changed:
            self._listeners -= 1

    def _tell(self, told: int) -> Iterator[str]:
        yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
        ends = time.monotonic() + LONGEST_STREAM_SECONDS
        while time.monotonic() < ends and not self._ended:
            with self._changed:
                self._changed.wait_for(partial(self._moved_since, told), HEARTBEAT_SECONDS)
                news = self._news
            if news.version > told:
                told = news.version
                yield as_event("tally", news.fragment)
            else:
                yield ": still here\n\n"

    def _moved_since(self, told: int) -> bool:
        return self._ended or self._news.version > told

    def _read(self) -> None:
        while True:
            try:
                with self._app.test_request_context():
                    fragment = self._write()
            except DATABASE_AWAY:
                fragment = self._news.fragment
            with self._changed:
                if fragment != self._news.fragment:
                    self._news = News(self._news.version + 1, fragment)
                    self._changed.notify_all()
                if self._listeners == 0 or self._ended:
                    self._reading = False
                    return
            time.sleep(PULSE_SECONDS)


class _Stream(Iterator[str]):
    """A stream whose place is given back exactly once, even if the browser left before the first event."""

    def __init__(self, events: Iterator[str], leave: Callable[[], None]) -> None:
        self._events = events
        self._leave: Callable[[], None] | None = leave

    def __next__(self) -> str:
        try:
            return next(self._events)
        except StopIteration:
            self.close()
            raise

    def close(self) -> None:
        """Give the place back; the server calls it when the browser has gone."""
        if self._leave:
            self._leave()
            self._leave = None


def as_event(name: str, data: str) -> str:
    """Format one server-sent event (HTML standard, section 9.2)."""
    lines = "\n".join(f"data: {line}" for line in data.splitlines() if line.strip())
    return f"event: {name}\n{lines}\n\n"
