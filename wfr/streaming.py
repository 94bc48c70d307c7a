"""Procfile's `stream`: one process that holds thousands of live streams and serves nothing else.

It runs on gevent, which must have replaced the blocking parts of the standard library before anything else is
imported. `HOW_TO_START` says how.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any

import gevent
from flask import Flask
from gevent import monkey
from gunicorn.workers.ggevent import GeventWorker

from wfr import create_app
from wfr.config import ConfigError, Settings
from wfr.server import GRACEFUL_END_SECONDS, end_streams, shared_config
from wfr.telemetry import set_up_log

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOW_TO_START = "python -m gevent.monkey --module gunicorn --config python:wfr.streaming 'wfr.streaming:stream_app()'"
SERVED = ("/live", "/healthz", "/readyz", "/metrics")


class StreamWorker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """A gevent worker that ends its streams as soon as it is told to stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop when the streams have been told (SIGTERM)."""
        gevent.spawn(end_streams, self.wsgi)
        super().handle_exit(sig, frame)


class StreamsOnly:
    """The app, reduced to its live stream, which pages of the site's own address may read from here."""

    def __init__(self, app: Flask, origin: str) -> None:
        self.app = app
        self.extensions = app.extensions
        self.origin = origin

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, if it is for what is served here."""
        if environ["PATH_INFO"] not in SERVED:
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"Only the live numbers are served here.\n"]

        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            kept = [pair for pair in headers if pair[0].lower() != "access-control-allow-origin"]
            return start_response(status, [*kept, ("Access-Control-Allow-Origin", self.origin)], *rest)

        return self.app(environ, begin)


def stream_app() -> StreamsOnly:
    """Make the app of the stream process."""
    room = {"streams": settings.stream_connections, "stream_url": None}
    return StreamsOnly(create_app(settings.model_copy(update=room)), settings.base_url)


try:
    settings = Settings.load()
except ConfigError as problem:
    sys.exit(str(problem))
if not monkey.is_module_patched("threading"):
    sys.exit(f"Start it with: {HOW_TO_START}")

set_up_log(settings.log_format)
globals().update(shared_config(settings))

workers = 1
worker_class = StreamWorker
worker_connections = settings.stream_connections
graceful_timeout = GRACEFUL_END_SECONDS
