"""The web server (gunicorn): what every way of starting it shares, and the one that `wfr run` starts."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from wfr import jobs, paper
from wfr.config import ConfigError, Settings

log = structlog.get_logger(__name__)

AT_END = "wfr.at_end"
"""In `app.extensions`: functions to call when the process is told to end; one ends the live streams."""

QUICK_END_SECONDS = 1.2
"""How long Ctrl-C waits for what is under way."""

GRACEFUL_END_SECONDS = 25
"""How long SIGTERM waits for what is under way."""


def shared_config(settings: Settings) -> dict[str, Any]:
    """Return what is the same for `wfr run` and for Procfile's processes, under gunicorn's names."""
    memory = Path("/dev/shm")  # noqa: S108 -- the server's heartbeat; on a disk it could block
    return {
        "bind": f"{_bracketed(settings.bind)}:{settings.port}",
        "backlog": 2048,
        "keepalive": 5,
        "logger_class": PlainLog,
        # The server's own remote control: nobody asked for it, and it would write into the home directory.
        "control_socket_disable": True,
        "worker_tmp_dir": str(memory) if os.access(memory, os.W_OK) else None,
    }


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def check_printing() -> None:
    """Say in a line each what is missing for printing, and what mends it; every way of starting says it."""
    for missing in paper.check_paper():
        log.warning("printing", problem=missing)


def prepare_paper() -> None:
    """Check printing, and load the fonts before the first visitor prints; it takes a second."""
    check_printing()
    threading.Thread(target=paper.warm_up, name="paper", daemon=True).start()


def end_streams(app: Any) -> None:
    """Call what `app` wants called when its process is told to end."""
    for end in getattr(app, "extensions", {}).get(AT_END, ()):
        end()


class PlainLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """The server's log, sent where all the other lines go. No access log: it would keep addresses."""

    def setup(self, cfg: Any) -> None:
        """Take gunicorn's own handlers away."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class StreamEndingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that ends its live streams when it is told to stop; it would wait for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop when what is under way is done (SIGTERM)."""
        end_streams(getattr(self, "wsgi", None))
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Stop now (Ctrl-C)."""
        end_streams(getattr(self, "wsgi", None))
        # The interpreter waits for its threads at the end; a long letter in print must not hold it up.
        last = threading.Timer(QUICK_END_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()
        super().handle_quit(sig, frame)


class OneProcess(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The whole program in one process: pages, live streams and background jobs."""

    def __init__(self, factory: Callable[[], Flask], settings: Settings, announce: Callable[[str], None]) -> None:
        self._factory = factory
        self._settings = settings
        self._announce = announce
        self._stop_jobs: Callable[[], None] | None = None
        super().__init__()

    def load_config(self) -> None:
        """Configure gunicorn, from the settings alone."""
        choices = {
            **shared_config(self._settings),
            "workers": 1,
            "threads": self._settings.threads,
            "worker_class": StreamEndingWorker,
            "graceful_timeout": GRACEFUL_END_SECONDS,
            "loglevel": "warning",
            "post_worker_init": self._begin,
            "worker_exit": self._end,
        }
        for name, value in choices.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the app, in the process that will serve it."""
        return self._factory()

    def _begin(self, worker: Worker) -> None:
        self._stop_jobs = jobs.queue_of(worker.wsgi).start_in_process()
        prepare_paper()
        if worker.age == 1:
            host, port = worker.sockets[0].getsockname()[:2]
            shown = "127.0.0.1" if host in ("0.0.0.0", "::") else _bracketed(host)  # noqa: S104 -- only compared
            self._announce(self._settings.public_url or f"http://{shown}:{port}")

    def _end(self, _server: Any, _worker: Worker) -> None:
        if self._stop_jobs:
            self._stop_jobs()


def run(factory: Callable[[], Flask], settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until a signal ends it; does not return. `announce` is given the address once pages are answered.

    Raises `ConfigError` when the address cannot be listened on.
    """
    _refuse_a_taken_port(settings)
    OneProcess(factory, settings, announce).run()


def _refuse_a_taken_port(settings: Settings) -> None:
    # gunicorn would try for five seconds and then speak of a connection.
    family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((settings.bind.strip("[]"), settings.port))
        except OSError as problem:
            raise ConfigError(
                f"PORT: cannot listen on {settings.bind}:{settings.port} ({problem.strerror}); "
                f"set another one, such as PORT={settings.port % 65_000 + 1}."
            ) from problem
