"""A cheap HTTP/1.1 client: closed-loop visitors on keep-alive connections, all in one thread of one process.

The load generator shares its cores with what it measures, so it does as little as it can: one `epoll` loop, no
parsing beyond the status line and the length, requests put together beforehand.
"""

from __future__ import annotations

import random
import selectors
import socket
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

CHUNK_BYTES = 262_144
LONGEST_SILENCE_SECONDS = 30
VISITS_OF_A_CONNECTION = 20
"""A visitor goes after so many visits and another one comes. With connections that last for ever, whichever server
process happened to accept most of them in the first millisecond would do most of the work to the end."""

ENCODING = "gzip, deflate, br, zstd"
"""What the four big browsers ask for, in their order."""


class Unexpected(RuntimeError):
    """The server gave another answer than a visitor needs to go on; the measurement would mean nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the header block in lower case, and the body (still compressed if the server did so)."""

    status: int
    head: bytes
    body: bytes


Visit = Generator[bytes, Answer, None]
"""One unit of work: yields requests, is sent the answer to each, and is counted when it ends."""


@dataclass(slots=True)
class Figure:
    """What a run measured: the times of its visits and its length in seconds, and the generator's use of cores.

    `times_after` are those of each connection's last visit, which may have ended when the time was over: a rate leaves
    them out.
    """

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    times_after: list[float] = field(default_factory=list)
    generator_cpu: float = 0.0

    @property
    def per_second(self) -> float:
        """Finished visits per second."""
        return len(self.times) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Return the time in milliseconds that `share` (0.5, 0.99) of the visits stayed under; 0 without visits."""
        ordered = sorted(self.times + self.times_after)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


def get(path: str, *, encoding: str = ENCODING) -> bytes:
    """Return the bytes of a GET request."""
    asked = f"Accept-Encoding: {encoding}\r\n" if encoding else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{asked}\r\n".encode()


def post(path: str, fields: dict[str, str], *, encoding: str = ENCODING) -> bytes:
    """Return the bytes of a POST request with a form."""
    body = urlencode(fields)
    asked = f"Accept-Encoding: {encoding}\r\n" if encoding else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{asked}Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class _Visitor:
    """One connection, which makes one visit after another."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.socket = self._connect()
        # The first ones have been here for a while, so that not all of them go at the same moment.
        self._visits = random.randrange(VISITS_OF_A_CONNECTION)
        self._received = bytearray()
        self._needed = -1
        self._head_end = 0
        self.began = 0.0
        self._visit: Visit

    def _connect(self) -> socket.socket:
        link = socket.create_connection(self.address, timeout=LONGEST_SILENCE_SECONDS)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link

    @property
    def goes_now(self) -> bool:
        """Say whether this visitor has made all visits and the next one should come."""
        return self._visits >= VISITS_OF_A_CONNECTION

    def replace(self) -> None:
        """Let the next visitor come, with a connection of its own."""
        self.socket.close()
        self.socket = self._connect()
        self._visits = 0

    def start(self, visit: Visit) -> None:
        """Begin a visit: send its first request."""
        self._visits += 1
        self._visit = visit
        self.began = time.perf_counter()
        self.socket.sendall(next(visit))

    def read(self) -> bool:
        """Take what has come; True when the visit has ended with it. Raises `Unexpected`."""
        data = self.socket.recv(CHUNK_BYTES)
        if not data:
            raise Unexpected("the server closed the connection in the middle of an answer")
        self._received += data
        if self._needed < 0 and not self._measure():
            return False
        if len(self._received) < self._needed:
            return False
        return self._go_on()

    def _measure(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._received[:end]).lower()
        start = head.find(b"content-length:")
        if start < 0:
            raise Unexpected(f"an answer without a length: {head[:200]!r}")
        self._head_end = end + 4
        self._needed = self._head_end + int(head[start + 15 :].split(b"\r\n", 1)[0])
        return True

    def _go_on(self) -> bool:
        head = bytes(self._received[: self._head_end]).lower()
        answer = Answer(int(head[9:12]), head, bytes(self._received[self._head_end : self._needed]))
        self._received.clear()
        self._needed = -1
        if b"connection: close" in head:
            raise Unexpected("the server does not keep connections alive")
        try:
            self.socket.sendall(self._visit.send(answer))
        except StopIteration:
            return True
        return False


def run(address: tuple[str, int], begin: Callable[[], Visit], *, clients: int, seconds: float) -> Figure:
    """Let `clients` visitors make visits, each the next as soon as the last has ended, and return the figure.

    Only visits that end within `seconds` count; those under way are then finished, so that nothing is cut off half-way.
    Raises `Unexpected`.
    """
    ends = time.perf_counter() + seconds
    figure = _drive(address, lambda: begin() if time.perf_counter() < ends else None, clients)
    figure.seconds = seconds
    return figure


def run_all(address: tuple[str, int], visits: Iterable[Visit], *, clients: int) -> Figure:
    """Let `clients` visitors make all of `visits` between them, and return the figure. Raises `Unexpected`."""
    waiting = iter(visits)
    return _drive(address, lambda: next(waiting, None), clients)


def once(address: tuple[str, int], visit: Visit) -> None:
    """Make one visit. Raises `Unexpected`."""
    run_all(address, [visit], clients=1)


def _drive(address: tuple[str, int], following: Callable[[], Visit | None], clients: int) -> Figure:
    """Keep `clients` connections busy until `following` has no visit left for any of them."""
    figure = Figure()
    crowd = [_Visitor(address) for _ in range(clients)]
    cpu, began = time.process_time(), time.perf_counter()
    try:
        with selectors.EpollSelector() as selector:
            active = sum(_next_visit(visitor, following, selector) for visitor in crowd)
            while active:
                ready = selector.select(LONGEST_SILENCE_SECONDS)
                if not ready:
                    raise Unexpected(f"no answer for {LONGEST_SILENCE_SECONDS} s")
                for visitor in [key.data for key, _ in ready if key.data.read()]:
                    selector.unregister(visitor.socket)
                    took = time.perf_counter() - visitor.began
                    if _next_visit(visitor, following, selector):
                        figure.times.append(took)
                    else:
                        active -= 1
                        figure.times_after.append(took)
    finally:
        for visitor in crowd:
            visitor.socket.close()
    figure.seconds = time.perf_counter() - began
    figure.generator_cpu = (time.process_time() - cpu) / figure.seconds
    return figure


def _next_visit(visitor: _Visitor, following: Callable[[], Visit | None], selector: selectors.EpollSelector) -> bool:
    visit = following()
    if visit is None:
        return False
    if visitor.goes_now:
        visitor.replace()
    selector.register(visitor.socket, selectors.EVENT_READ, visitor)
    visitor.start(visit)
    return True
