"""The press: documents are printed by child processes, so that a class's letters use every processor.

A document goes to its child and comes back as a PDF through pipes, in frames of a length and so many bytes. What stands
in it is found in no file, argument, environment, log or traceback: pupils' names are printed here.
"""

from __future__ import annotations

import os
import queue
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from wfr.paper import PaperError, render_pdf

RUNS_AT_ONCE = 2
"""How many runs of the press one process has at once; each starts children of its own."""

PATIENCE_SECONDS = 5.0
"""How long a further run waits for one of these to end."""

DOCUMENT_SECONDS = 120.0
"""How long a child may take for one document; a hundred letters take four seconds."""

_LENGTH = struct.Struct(">Q")
_DONE, _FAILED = b"+", b"-"

# `python -m` would first run the package's own __init__, which builds the whole app: 1.5 s and 80 MB a child.
_CHILD = (
    "import sys, types; sys.modules['wfr'] = types.ModuleType('wfr'); sys.modules['wfr'].__path__ = sys.argv[1:]; "
    "from wfr.press import serve; serve()"
)

_room = threading.BoundedSemaphore(RUNS_AT_ONCE)


class Busy(Exception):
    """The press is printing for others; it will be free in half a minute."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document to print: HTML, and the stylesheet below static/ that it is set with, as `render_pdf` takes them."""

    html: str = field(repr=False)
    stylesheet: str


def press(documents: Iterable[Document], *, processes: int) -> Iterator[bytes]:
    """Print `documents`, several at once in at most `processes` children, and yield each PDF in its turn.

    The documents are taken from their iterable as children become free for them. Children end with the last document,
    when the iterator is closed, and with this process. Raises `Busy` before anything is printed, and `PaperError`,
    which names no word of the document, when a sheet would not come out right or its child was killed.
    """
    if not _room.acquire(timeout=PATIENCE_SECONDS):
        raise Busy
    try:
        yield from _run(documents, processes)
    finally:
        _room.release()


def _run(documents: Iterable[Document], processes: int) -> Iterator[bytes]:
    children: list[_Child] = []
    idle: queue.SimpleQueue[_Child] = queue.SimpleQueue()
    under_way: deque[Future[bytes]] = deque()

    def print_one(document: Document) -> bytes:
        child = idle.get()
        try:
            return child.print(document)
        finally:
            idle.put(child)

    hands = ThreadPoolExecutor(processes, thread_name_prefix="press")
    try:
        for document in documents:
            if len(children) < processes:
                children.append(_Child())
                idle.put(children[-1])
            under_way.append(hands.submit(print_one, document))
            if len(under_way) > processes:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for child in children:
            child.end()
        hands.shutdown(cancel_futures=True)


class _Child:
    """A child process that prints one document at a time. Its life hangs on its standard input."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own package
            [sys.executable, "-P", "-c", _CHILD, str(Path(__file__).parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def print(self, document: Document) -> bytes:
        """Return the document as a PDF; raises `PaperError`."""
        assert self._process.stdin and self._process.stdout  # noqa: S101, PT018 -- narrows the types; both are pipes
        limit = threading.Timer(DOCUMENT_SECONDS, self._process.kill)
        limit.daemon = True
        limit.start()
        try:
            _send(self._process.stdin, document.stylesheet.encode(), document.html.encode())
            outcome = self._process.stdout.read(1)
            answer = _receive(self._process.stdout)
        except (OSError, EOFError, ValueError):
            raise PaperError("A printing process ended before its sheet was done") from None
        finally:
            limit.cancel()
        if outcome == _FAILED:
            raise PaperError(f"A sheet could not be printed: {answer.decode()}")
        return answer

    def end(self) -> None:
        """End the child now, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()


def serve() -> None:
    """Print what comes in on standard input, one document at a time, until that is closed: the whole of a child.

    Each answer is a mark, ``+`` or ``-``, and a frame with the PDF, or with the place in our code that refused.
    """
    # Ctrl-C reaches every process of a terminal; this one ends when its parent lets go of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_take_in, args=(sys.stdin.buffer, frames), daemon=True).start()
    while True:
        stylesheet, html = frames.get().decode(), frames.get().decode()
        outcome, answer = _attempt(html, stylesheet)
        sys.stdout.buffer.write(outcome)
        _send(sys.stdout.buffer, answer)


def _take_in(source: IO[bytes], frames: queue.SimpleQueue[bytes]) -> None:
    """Read frames until there are no more, and then end this process, also in the middle of a page."""
    with suppress(EOFError):
        while True:
            frames.put(_receive(source))
    os._exit(0)


def _attempt(html: str, stylesheet: str) -> tuple[bytes, bytes]:
    try:
        return _DONE, render_pdf(html, stylesheet=stylesheet)
    except Exception as problem:
        # Its words may be the letter's: a character that no font has, a name. The place says enough.
        last = traceback.extract_tb(problem.__traceback__)[-1]
        return _FAILED, f"{type(problem).__name__} in {last.name}, line {last.lineno}".encode()


def _send(pipe: IO[bytes], *parts: bytes) -> None:
    for part in parts:
        pipe.write(_LENGTH.pack(len(part)))
        pipe.write(part)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """Return the next frame; raises `EOFError` where it is cut short."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    part = pipe.read(length)
    if len(part) < length:
        raise EOFError
    return part
