"""Real `wfr worker` processes that need no second to begin: a process that has imported everything forks them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wfr.cli import main

ROOT = Path(__file__).resolve().parent.parent


class Workers:
    """Starts workers and kills them. What they say goes to a file."""

    def __init__(self, parent: subprocess.Popen[str]) -> None:
        self._parent = parent

    def start(self) -> int:
        """Start a worker and return its process number."""
        _pipe(self._parent.stdin).write("\n")
        _pipe(self._parent.stdin).flush()
        return int(_pipe(self._parent.stdout).readline())

    @staticmethod
    def kill(pid: int) -> None:
        """End a worker as a power cut does."""
        os.kill(pid, signal.SIGKILL)


@contextmanager
def workers(environ: dict[str, str], log: Path) -> Iterator[Workers]:
    """Workers with this environment; all of them are killed afterwards."""
    with log.open("wb") as said:
        parent = subprocess.Popen(
            [sys.executable, "-m", "tests.workers"],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        try:
            yield Workers(parent)
        finally:
            os.killpg(parent.pid, signal.SIGKILL)
            parent.communicate()


def _pipe(end: IO[str] | None) -> IO[str]:
    assert end is not None
    return end


def fork_workers() -> None:
    """Start a worker for each line that comes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(2, 1)
            main(["worker"])
        print(pid, flush=True)


if __name__ == "__main__":
    fork_workers()
