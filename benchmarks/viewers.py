"""A thousand browsers that look at a live number: how long after a pledge's answer each of them is told."""

from __future__ import annotations

import random
import re
import selectors
import socket
import time
from collections.abc import Callable

from benchmarks.client import Figure, Unexpected, get

CHUNK_BYTES = 65_536
LONGEST_WAIT_SECONDS = 20
PACE_SECONDS = (1.0, 2.5)
"""Between two pledges: by chance, so that they fall anywhere between two beats of the server's pulse."""

TOTAL = re.compile(rb'data-live="total">.*?visually-hidden">([\d,]+)<', re.DOTALL)


class Audience:
    """Open streams, read in one loop; each remembers the last total that it was told."""

    def __init__(self, address: tuple[str, int], size: int) -> None:
        self._selector = selectors.EpollSelector()
        self._received = {link: bytearray() for link in (self._open(address) for _ in range(size))}
        self.told: dict[socket.socket, int] = {}

    def _open(self, address: tuple[str, int]) -> socket.socket:
        link = socket.create_connection(address, timeout=LONGEST_WAIT_SECONDS)
        link.sendall(get("/live", encoding=""))
        self._selector.register(link, selectors.EVENT_READ)
        return link

    def wait_for(self, total: int) -> list[float]:
        """Wait until every viewer was told at least `total`; return when each was, on the clock of `time.perf_counter`.

        Raises `Unexpected` when one is not, or is sent away.
        """
        waiting = {link for link in self._received if self.told.get(link, -1) < total}
        times: list[float] = []
        ends = time.perf_counter() + LONGEST_WAIT_SECONDS
        while waiting:
            ready = self._selector.select(max(ends - time.perf_counter(), 0))
            if not ready:
                raise Unexpected(
                    f"{len(waiting)} of {len(self._received)} viewers were not told in {LONGEST_WAIT_SECONDS} s"
                )
            for key, _ in ready:
                link = key.fileobj
                assert isinstance(link, socket.socket)  # noqa: S101 -- only sockets are registered
                self._read(link)
                if link in waiting and self.told.get(link, -1) >= total:
                    waiting.remove(link)
                    times.append(time.perf_counter())
        return times

    def _read(self, link: socket.socket) -> None:
        data = link.recv(CHUNK_BYTES)
        if not data:
            raise Unexpected("a stream ended")
        received = self._received[link]
        received += data
        if (
            received.startswith(b"HTTP/")
            and len(received) >= len(b"HTTP/1.1 200")
            and not received.startswith(b"HTTP/1.1 200")
        ):
            raise Unexpected(f"a stream was refused: {bytes(received[:200])!r}")
        # More than one event may have come; the last whole total is what the viewer sees.
        end = 0
        for found in TOTAL.finditer(received):
            self.told[link] = int(found[1].replace(b",", b""))
            end = found.end()
        del received[:end]

    def close(self) -> None:
        """Leave."""
        for link in self._received:
            link.close()
        self._selector.close()


def delivery_lag(address: tuple[str, int], pledge: Callable[[], int], *, viewers: int, rounds: int) -> Figure:
    """Return the lags, in seconds, from the answer to a pledge to each of `viewers` being told, over `rounds` pledges.

    `pledge` makes one and returns the total that must be shown after it. Raises `Unexpected`.
    """
    audience = Audience(address, viewers)
    figure = Figure()
    cpu, began = time.process_time(), time.perf_counter()
    try:
        audience.wait_for(0)
        for _ in range(rounds):
            time.sleep(random.uniform(*PACE_SECONDS))
            total = pledge()
            acknowledged = time.perf_counter()
            figure.times += [moment - acknowledged for moment in audience.wait_for(total)]
    finally:
        audience.close()
    figure.seconds = time.perf_counter() - began
    figure.generator_cpu = (time.process_time() - cpu) / figure.seconds
    return figure
