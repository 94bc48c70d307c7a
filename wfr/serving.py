"""gunicorn's configuration for Procfile's `web`: ``gunicorn --config python:wfr.serving 'wfr:create_app()'``.

Any number of processes of WFR_THREADS threads each. Background jobs run elsewhere (`wfr worker`).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import Any

import structlog
from gunicorn.arbiter import Arbiter
from sqlalchemy.exc import DBAPIError

from wfr.cases.loading import refuse_public_demonstration
from wfr.cases.season_files import CannotLoad
from wfr.config import ConfigError, Settings
from wfr.extensions import db
from wfr.server import GRACEFUL_END_SECONDS, StreamEndingWorker, prepare_paper, shared_config
from wfr.telemetry import set_up_log

log = structlog.get_logger(__name__)

try:
    settings = Settings.load()
except ConfigError as problem:
    sys.exit(str(problem))

set_up_log(settings.log_format)
globals().update(shared_config(settings))

workers = settings.processes
threads = settings.threads
worker_class = StreamEndingWorker
graceful_timeout = GRACEFUL_END_SECONDS
preload_app = False

if workers > 1:
    # The figures of all processes meet in files; the library reads this when a worker first imports it.
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="wfr-metrics-"))


def post_worker_init(worker: Any) -> None:
    """Refuse to show a demonstration to the world, and load the fonts before the first visitor prints."""
    with worker.wsgi.app_context():
        try:
            refuse_public_demonstration(db.session, public=settings.is_reachable)
        except CannotLoad as problem:
            # This status ends the server; any other would have it start the next worker for ever.
            sys.stderr.write(f"{problem}\n")
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
        except DBAPIError as problem:
            # Away, or not migrated yet: /readyz says so, and pages come when it does.
            log.warning("database_not_ready", error=type(problem).__name__)
        finally:
            db.session.remove()
    prepare_paper()


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that has ended."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 -- not before the folder is known

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Remove the folder of the figures."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    if "wfr-metrics-" in folder:
        shutil.rmtree(folder, ignore_errors=True)
