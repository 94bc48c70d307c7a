"""Background jobs: the only module that knows the queue (Huey).

A queue is only a doorbell. A worker that is killed loses the task in its hands, so work to do is always a row
in the database, found again by a regular sweep; and as two workers may ring at once, a job may run twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from flask import Flask, current_app
from huey import Huey, PostgresHuey, SqliteHuey, crontab
from huey.consumer import Consumer
from huey.serializer import SignedSerializer
from sqlalchemy import make_url

from wfr import telemetry
from wfr.config import Settings
from wfr.extensions import CONNECT_TIMEOUT_SECONDS

log = structlog.get_logger(__name__)

LONGEST_SHUTDOWN_SECONDS = 25
QUICK_SHUTDOWN_SECONDS = 1.0
_LONGEST_NAP_SECONDS = 2.0
_THREADS = 2
"""One for a mailing, which may take hours, and one for all that must not wait for it."""


class Queue:
    """The queue of one app, and the jobs that run on it. Each job runs inside an application context."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._huey = _make_huey(settings)
        # Each thread of a consumer has a connection of its own to be woken by; it closes it when it ends.
        self._huey.on_shutdown("close")(self._close_storage)
        self.jobs: dict[str, Callable[[], None]] = {}
        """What each job does, by name: it can be called without waiting for its hour."""
        self._bells: dict[str, Callable[[], object]] = {}
        self._stop = threading.Event()
        self._closing = threading.Lock()

    def daily(self, name: str, work: Callable[[], object], *, at: str) -> None:
        """Run `work` every day at the UTC time `at`, such as ``"03:40"``."""
        hour, minute = at.split(":")
        self._schedule(name, work, crontab(hour=str(int(hour)), minute=str(int(minute))), log.info)

    def every(self, name: str, work: Callable[[], object], *, minutes: int) -> None:
        """Run `work` every so many `minutes`, from 1 to 59."""
        # Said each time, it would be most of the log; a job that did something says so itself.
        self._schedule(name, work, crontab(minute=f"*/{minutes}"), log.debug)

    def on_ring(self, name: str, work: Callable[[], object]) -> None:
        """Run `work` whenever somebody rings for it. A sweep must find what a lost ring would have had it do."""

        def run() -> None:
            self._run(name, work, log.info)

        self.jobs[name] = run
        self._bells[name] = self._huey.task(name=name)(run)

    def ring(self, name: str) -> None:
        """Have the job `name` run soon; call it after the commit of what the job shall find.

        While the queue's database is away nothing happens: the sweep does the work. Raises `KeyError` for a name
        that no job has.
        """
        bell = self._bells[name]
        try:
            bell()
        except Exception as problem:
            log.warning("bell_not_heard", job=name, error=type(problem).__name__)
        finally:
            # Whoever rings does so seldom, and need not hold a connection until the next time.
            self._close_storage()

    def ending(self) -> bool:
        """Say whether this process was told to end: a long job then stops at the next good moment."""
        return self._stop.is_set()

    def rest(self, seconds: float) -> None:
        """Let `seconds` pass, or fewer where this process is told to end meanwhile."""
        self._stop.wait(seconds)

    def _schedule(
        self, name: str, work: Callable[[], object], when: Callable[..., bool], tell: Callable[..., object]
    ) -> None:
        def run() -> None:
            self._run(name, work, tell)

        self.jobs[name] = run
        self._huey.periodic_task(when, name=name)(run)

    def _run(self, name: str, work: Callable[[], object], tell: Callable[..., object]) -> None:
        began = time.monotonic()
        with self._app.app_context():
            try:
                work()
            except Exception:
                telemetry.metrics().jobs.labels(name, "failed").inc()
                log.exception("job_failed", job=name)
                return
            telemetry.metrics().jobs.labels(name, "done").inc()
            tell("job_done", job=name, seconds=round(time.monotonic() - began, 3))

    def start_in_process(self) -> Callable[[], None]:
        """Run the jobs in threads of this process; return the function that stops them.

        Call it after the process has forked. Signals stay with whoever has them. Stopping waits for a job under way
        for at most `QUICK_SHUTDOWN_SECONDS`.
        """
        consumer = self._consumer(_QuietConsumer, QUICK_SHUTDOWN_SECONDS)
        consumer.start()

        def stop() -> None:
            consumer.stop(graceful=True)
            self._close_storage()

        return stop

    def work(self) -> None:
        """Run the jobs in this process until a signal ends it: the whole of `wfr worker`.

        SIGTERM lets the present job finish, for at most `LONGEST_SHUTDOWN_SECONDS`; Ctrl-C does not wait.
        """
        try:
            self._consumer(Consumer, LONGEST_SHUTDOWN_SECONDS).run()
        finally:
            self._close_storage()

    def _make_tables(self) -> None:
        try:
            self._huey.storage.initialize_schema()
        except Exception:
            # Two workers that begin at once both make them; PostgreSQL lets one of them fail.
            self._close_storage()
            self._huey.storage.initialize_schema()

    def _close_storage(self) -> None:
        # Threads share its connection, and the library looks whether there is one before it waits for its turn.
        with self._closing:
            self._huey.storage.close()

    def _consumer(self, kind: type[Consumer], shutdown_seconds: float) -> Consumer:
        self._settings.data.mkdir(parents=True, exist_ok=True)
        self._make_tables()
        consumer = kind(
            self._huey,
            workers=_THREADS,
            max_delay=_LONGEST_NAP_SECONDS,
            shutdown_timeout=shutdown_seconds,
            graceful_signal="TERM",
        )
        self._stop = consumer.stop_flag
        return consumer


class _QuietConsumer(Consumer):  # type: ignore[misc]  # Huey has no types.
    """A consumer that leaves the process's signal handlers alone: the web server needs them."""

    def _set_signal_handlers(self) -> None:
        pass


def _make_huey(settings: Settings) -> Huey:
    # Tables are made when a consumer starts: a database that is away must not keep pages from being served.
    shared = {
        "results": False,
        "create_tables": False,
        "serializer": SignedSerializer(secret=settings.key("jobs").hex()),
    }
    if settings.uses_sqlite:
        return SqliteHuey("wfr", filename=str(settings.jobs_file), fsync=True, **shared)
    address = make_url(settings.database_url).set(drivername="postgresql")
    if "connect_timeout" not in address.query:
        # A page rings too, and must not wait for a database that is away.
        address = address.update_query_dict({"connect_timeout": str(CONNECT_TIMEOUT_SECONDS)})
    return PostgresHuey("wfr", dsn=address.render_as_string(hide_password=False), table_prefix="jobs", **shared)


def init_app(app: Flask, settings: Settings) -> Queue:
    """Give `app` its queue; the domains then register their jobs on it."""
    queue = app.extensions["wfr.jobs"] = Queue(app, settings)
    return queue


def queue_of(app: Flask) -> Queue:
    """Return the queue that `init_app` gave to `app`."""
    queue: Queue = app.extensions["wfr.jobs"]
    return queue


def ring(name: str) -> None:
    """Have a job of the present app run soon; see `Queue.ring`."""
    queue_of(current_app).ring(name)


def ending() -> bool:
    """Say whether the present app's process was told to end; see `Queue.ending`."""
    return queue_of(current_app).ending()


def rest(seconds: float) -> None:
    """Let `seconds` pass unless the present app's process ends; see `Queue.rest`."""
    queue_of(current_app).rest(seconds)
