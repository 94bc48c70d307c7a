"""Where and with what a figure was measured, and who used the processors meanwhile."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("flask", "sqlalchemy", "gunicorn", "gevent", "psycopg")
TICKS = os.sysconf("SC_CLK_TCK")


def description() -> str:
    """Return the processors, the memory, the kernel and the versions in one line."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {packages}"
    )


@dataclass(frozen=True, slots=True)
class Shares:
    """Processor cores used while something was measured."""

    server: float
    database: float
    generator: float
    others: float
    """Everybody else on this machine: what keeps a figure below what it could be."""


class Watch:
    """Tells who used the processors since it was made."""

    def __init__(self, groups: list[int], database: int | None) -> None:
        self._groups = groups
        self._database = database
        self._began = time.perf_counter()
        self._before = self._read()

    def _read(self) -> tuple[float, float, float, float]:
        server = sum(cpu_seconds(group=group) for group in self._groups)
        database = cpu_seconds(parent=self._database) if self._database else 0.0
        return server, database, time.process_time(), all_seconds()

    def shares(self) -> Shares:
        """Return the cores used since then."""
        seconds = time.perf_counter() - self._began
        server, database, generator, everybody = (
            (after - before) / seconds for after, before in zip(self._read(), self._before, strict=True)
        )
        return Shares(server, database, generator, max(everybody - server - database - generator, 0.0))


def all_seconds() -> float:
    """Return the seconds of processor time that this machine has used since it started, idle time left out."""
    user, nice, system, _idle, _waiting, *rest = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8])
    return (user + nice + system + sum(rest)) / TICKS


def cpu_seconds(*, group: int | None = None, parent: int | None = None) -> float:
    """Return the seconds of processor time of the living processes of a group, or of the children of a parent."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if group == int(fields[2]) or parent == int(fields[1]):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS
