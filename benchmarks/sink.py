"""A mail server that takes everything and keeps nothing, in a process of its own: ``python -m benchmarks.sink PORT``.

It speaks just enough of RFC 5321, with PIPELINING and 8BITMIME. With ``--record`` it appends a line for each message it
took: when, its Message-ID, its recipient. With ``--faults`` it treats three recipients in ten badly, each always in the
same way, most of them only the first time. ``XSTAT`` asks it how much it has taken, and of how many messages and for
how many people that was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

END = b"\r\n.\r\n"
_MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.IGNORECASE | re.MULTILINE)
GREETING = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"


class Fault(StrEnum):
    """What goes wrong with a message; all but the second happen on the first try only."""

    BUSY = "busy"
    UNKNOWN = "unknown"
    GREYLISTED = "greylisted"
    DROPPED = "dropped"
    DROPPED_EARLY = "dropped early"
    DROPPED_LATE = "dropped late"
    """It was taken, but the line goes dead before that is said."""


SHARES = {
    Fault.BUSY: 8,
    Fault.UNKNOWN: 5,
    Fault.GREYLISTED: 7,
    Fault.DROPPED: 4,
    Fault.DROPPED_EARLY: 4,
    Fault.DROPPED_LATE: 2,
}
"""How many of a hundred recipients meet each."""


def fault_of(recipient: str) -> Fault | None:
    """Return what goes wrong with a recipient's message, the same each time."""
    place = zlib.crc32(recipient.encode()) % 100
    for fault, share in SHARES.items():
        if place < share:
            return fault
        place -= share
    return None


class Sink:
    """What a server has taken."""

    def __init__(self, *, faults: bool, record: TextIO | None) -> None:
        self.faults = faults
        self.record = record
        self.tries: Counter[str] = Counter()
        self.taken = 0
        self.identities: set[bytes] = set()
        self.recipients: set[str] = set()
        self.bytes = 0
        self.first = 0.0
        self.last = 0.0

    def fault(self, recipient: str) -> Fault | None:
        """Return what goes wrong with this recipient this time."""
        found = fault_of(recipient) if self.faults else None
        return found if found is Fault.UNKNOWN or not self.tries[recipient] else None

    def take(self, recipient: str, data: bytes) -> None:
        """Keep that a message came."""
        self.last = time.time()
        self.first = self.first or self.last
        self.taken += 1
        self.bytes += len(data)
        found = _MESSAGE_ID.search(data)
        identity = found[1] if found else b""
        self.identities.add(identity)
        self.recipients.add(recipient)
        if self.record:
            self.record.write(f"{self.last:.6f}\t{identity.decode()}\t{recipient}\n")
            self.record.flush()

    def told(self) -> dict[str, float]:
        """Return how much was taken, when it began and ended, and how many differ of what must not be the same."""
        found = {name: getattr(self, name) for name in ("taken", "bytes", "first", "last")}
        return {**found, "identities": len(self.identities), "recipients": len(self.recipients)}


class Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.wire: Any = None
        self.buffer = bytearray()
        self.recipient = ""
        self.refused = False
        self.in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.wire = transport
        self.wire.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer whatever is whole of what came."""
        self.buffer += data
        answers: list[bytes] = []
        while not self.wire.is_closing():
            if self.in_data:
                end = self.buffer.find(END, max(0, len(self.buffer) - len(data) - len(END)))
                if end < 0 and not self.buffer.startswith(END[2:]):
                    break
                answers.append(self._end_of_data(bytes(self.buffer[: end + 2])))
                del self.buffer[: end + len(END) if end >= 0 else len(END) - 2]
            else:
                end = self.buffer.find(b"\r\n")
                if end < 0:
                    break
                line = bytes(self.buffer[:end])
                del self.buffer[: end + 2]
                answers.append(self._answer(line))
        if not self.wire.is_closing():
            self.wire.write(b"".join(answers))

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            return self._recipient(line.partition(b"<")[2].partition(b">")[0].decode())
        if verb == b"DATA":
            if self.refused:
                return b"554 nobody\r\n"
            self.in_data = True
            return b"354 go on\r\n"
        if verb == b"EHLO":
            return GREETING
        if verb == b"XSTA":
            return b"250 " + json.dumps(self.sink.told()).encode() + b"\r\n"
        if verb in (b"MAIL", b"RSET"):
            self.recipient, self.refused = "", False
        return b"250 ok\r\n"

    def _recipient(self, recipient: str) -> bytes:
        self.recipient = recipient
        fault = self.sink.fault(recipient)
        if fault in (Fault.BUSY, Fault.UNKNOWN, Fault.DROPPED_EARLY):
            self.sink.tries[recipient] += 1
            self.refused = True
        if fault is Fault.DROPPED_EARLY:
            self.wire.abort()
        return {Fault.BUSY: b"450 4.2.1 busy\r\n", Fault.UNKNOWN: b"550 5.1.1 unknown\r\n"}.get(
            fault or Fault.DROPPED, b"250 ok\r\n"
        )

    def _end_of_data(self, data: bytes) -> bytes:
        self.in_data = False
        recipient, self.recipient = self.recipient, ""
        fault = self.sink.fault(recipient)
        if self.sink.faults:
            self.sink.tries[recipient] += 1
        if fault is Fault.GREYLISTED:
            return b"451 4.7.1 later\r\n"
        if fault is not Fault.DROPPED:
            self.sink.take(recipient, data)
        if fault in (Fault.DROPPED, Fault.DROPPED_LATE):
            self.wire.abort()
        return b"250 taken\r\n"


@dataclass(frozen=True, slots=True)
class Running:
    """A sink in a process of its own."""

    port: int
    pid: int

    def asked(self) -> dict[str, float]:
        """Return what it has taken: ``taken`` messages of ``bytes`` in all, the ``first`` and the ``last`` when.

        ``identities`` and ``recipients`` say how many Message-IDs and recipients there were among them.
        """
        with socket.create_connection(("127.0.0.1", self.port), 10) as link, link.makefile("rb") as answers:
            answers.readline()
            link.sendall(b"XSTAT\r\n")
            found: dict[str, float] = json.loads(answers.readline()[4:])
        return found


@contextmanager
def running(*, faults: bool = False, record: Path | None = None) -> Iterator[Running]:
    """Run a sink on a port that nobody uses, and end it afterwards."""
    command = [sys.executable, "-m", "benchmarks.sink", "0", *(["--faults"] if faults else [])]
    command += ["--record", str(record)] if record else []
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE)
    assert process.stdout is not None  # noqa: S101 -- it is a pipe
    try:
        yield Running(int(process.stdout.readline()), process.pid)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def _serve(port: int, sink: Sink) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Talk(sink), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    record = given.record.open("a", encoding="utf-8") if given.record else None
    asyncio.run(_serve(given.port, Sink(faults=given.faults, record=record)))


if __name__ == "__main__":
    main()
