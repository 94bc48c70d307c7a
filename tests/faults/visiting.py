"""Visitors of a real server: they keep what they were told, and know what to do when the line goes dead."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from benchmarks.stage import Server
from tests.acting import TICKET
from wfr.extensions import db
from wfr.pledges.models import Pledge
from wfr.pledges.tallying import find_drift

Serve = Callable[..., AbstractContextManager[Server]]

CASE = "/cases/ada-vale"
PATH = f"{CASE}/letter"
"""The writing table of the cast's first case."""

LINE_WENT_DEAD = (OSError, http.client.HTTPException)
PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Browser:
    """One connection to a server of this machine. Anything raises one of `LINE_WENT_DEAD` when that has died."""

    def __init__(self, port: int) -> None:
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)

    def get(self, path: str) -> Told:
        """Open a page."""
        self._link.request("GET", path)
        return self._read()

    def post(self, path: str, **fields: str) -> Told:
        """Send a form."""
        self._link.request("POST", path, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})
        return self._read()

    def _read(self) -> Told:
        answer = self._link.getresponse()
        return Told(answer.status, answer.headers, answer.read().decode())

    def ticket(self, path: str = PATH) -> str:
        """Open a form and return its ticket."""
        found = TICKET.search(self.get(path).text)
        assert found, "the form carries no ticket"
        return found[1]

    def pledge(self, ticket: str, path: str = PATH) -> Told:
        """Send the form with this ticket."""
        return self.post(path, ticket=ticket, country="TG", paper="A4")

    def close(self) -> None:
        """Leave."""
        self._link.close()


@contextmanager
def browser(port: int) -> Iterator[Browser]:
    """A browser that is closed afterwards."""
    opened = Browser(port)
    try:
        yield opened
    finally:
        opened.close()


class Visitor(threading.Thread):
    """Pledges again and again until the server dies; remembers the tickets sent and those thanked for."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.sent: list[str] = []
        self.thanked: list[str] = []

    def run(self) -> None:
        """Pledge until the line goes dead."""
        with browser(self._port) as opened:
            try:
                while True:
                    ticket = opened.ticket()
                    self.sent.append(ticket)
                    if opened.pledge(ticket).status == HTTPStatus.OK:
                        self.thanked.append(ticket)
            except LINE_WENT_DEAD:
                return


class Listener:
    """A browser that listens to the live numbers."""

    def __init__(self, port: int) -> None:
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._link.request("GET", "/live")
        self._answer = self._link.getresponse()
        self.status = self._answer.status

    def hears(self, words: str) -> None:
        """Wait until a line with these words comes. Raises `TimeoutError` when nothing comes for too long."""
        while line := self._answer.readline():
            if words in line.decode():
                return
        raise AssertionError(f"the stream ended without {words!r}")

    def leave(self) -> None:
        """Close the stream."""
        self._answer.close()
        self._link.close()


class Ledger:
    """Looks into the database from outside the server."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def ids(self) -> list[UUID]:
        """Return the key of every pledge."""
        with self._app.app_context():
            return list(db.session.scalars(select(Pledge.id)))

    def drift(self) -> list[str]:
        """Return where tally and ledger differ: nowhere, or something is broken."""
        with self._app.app_context():
            return [str(difference) for difference in find_drift(db.session)]

    def id_of(self, ticket: str) -> UUID:
        """Return the key that a ticket stands for."""
        read: UUID = self._app.extensions["wfr.admission"].tickets.read(ticket).id
        return read
