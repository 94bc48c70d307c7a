"""What the program says about itself: its log, its figures for Prometheus, and whether it is ready."""

from __future__ import annotations

import hmac
import logging
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import structlog
from flask import Flask, Response, current_app, request

from wfr import schema
from wfr.config import Settings
from wfr.errors import DATABASE_AWAY
from wfr.extensions import db
from wfr.setting_types import is_loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

SEEN = "wfr.seen"
"""In the WSGI environment: a dict for what Flask learns of a request, shared with copies of the environment."""

_FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded")
_QUIET = {
    "huey": logging.WARNING,
    "alembic": logging.WARNING,
    "fontTools": logging.WARNING,
    "weasyprint": logging.ERROR,
}


def set_up_log(style: Literal["text", "json"]) -> None:
    """Send every log line of this process, ours and the libraries', to standard error in one style."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if style == "json"
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)


@dataclass(frozen=True)
class Metrics:
    """The figures of one app. Labels never hold anything a visitor typed."""

    registry: Any
    requests: Any
    seconds: Any
    streams: Any
    jobs: Any
    events: Any


def _make_metrics() -> Metrics:
    # Imported here, not above: the library decides at import whether its numbers are shared between
    # processes, and `wfr.serving` says so first.
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram  # noqa: PLC0415

    registry = CollectorRegistry()
    return Metrics(
        registry=registry,
        requests=Counter(
            "wfr_http_requests", "Answered requests.", ("endpoint", "method", "status"), registry=registry
        ),
        seconds=Histogram(
            "wfr_http_seconds",
            "Seconds until the answer began.",
            ("endpoint",),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        ),
        streams=Gauge("wfr_streams_open", "Open live streams.", registry=registry, multiprocess_mode="livesum"),
        jobs=Counter("wfr_job_runs", "Finished background jobs.", ("job", "outcome"), registry=registry),
        events=Counter("wfr_events", "Things that happened.", ("event", "detail"), registry=registry),
    )


def metrics() -> Metrics:
    """Return the present app's figures."""
    found: Metrics = current_app.extensions["wfr.metrics"]
    return found


def count(event: str, detail: str = "") -> None:
    """Count that something happened, such as `count("pledge", "letter")`. Never pass a visitor's words."""
    metrics().events.labels(event, detail).inc()


class Meter:
    """WSGI middleware: counts and times every answer, also those that a cache before Flask gives."""

    def __init__(self, app: WSGIApplication, figures: Metrics) -> None:
        self.app = app
        self.figures = figures

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request and note how."""
        began = time.perf_counter()
        method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in ("GET", "HEAD", "POST") else "other"

        seen: dict[str, str] = {}
        environ[SEEN] = seen

        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            endpoint = seen.get("endpoint", "cached or static")
            self.figures.requests.labels(endpoint, method, status[:3]).inc()
            self.figures.seconds.labels(endpoint).observe(time.perf_counter() - began)
            return start_response(status, headers, *rest)

        return self.app(environ, begin)


def init_app(app: Flask, settings: Settings) -> None:
    """Count and time the answers of `app`, and give it `/healthz`, `/readyz` and `/metrics`.

    Call it last, so that it also sees what other middleware answers.
    """
    figures = app.extensions["wfr.metrics"] = _make_metrics()
    app.wsgi_app = Meter(app.wsgi_app, figures)  # type: ignore[method-assign]

    @app.before_request
    def name_the_endpoint() -> None:
        request.environ.get(SEEN, {})["endpoint"] = request.endpoint or "none"

    @app.get("/healthz")
    def healthz() -> Response:
        return _plain("ok")

    @app.get("/readyz")
    def readyz() -> Response:
        return _readiness()

    @app.get("/metrics", endpoint="metrics")
    def show_metrics() -> Response:
        if not _may_see_metrics(settings):
            return _plain("Only from this machine, or with the token of WFR_METRICS_TOKEN.", HTTPStatus.FORBIDDEN)
        return _exposition(figures)


def _plain(text: str, status: int = HTTPStatus.OK) -> Response:
    return Response(f"{text}\n", status, {"Cache-Control": "no-store"}, content_type="text/plain; charset=utf-8")


def _readiness() -> Response:
    try:
        with db.engine.connect() as connection:
            revision = schema.revision_of(connection)
    except DATABASE_AWAY as problem:
        log.warning("not_ready", error=type(problem).__name__)
        return _plain("The database does not answer.", HTTPStatus.SERVICE_UNAVAILABLE)
    if revision != schema.newest_revision():
        return _plain(
            "The database is not at the newest migration: run wfr db upgrade.", HTTPStatus.SERVICE_UNAVAILABLE
        )
    return _plain("ready")


def _may_see_metrics(settings: Settings) -> bool:
    if settings.metrics_token:
        expected = f"Bearer {settings.metrics_token.get_secret_value()}"
        if hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
            return True
    # A proxy on this machine makes every visitor look like loopback; its headers give it away.
    forwarded = any(name in request.headers for name in _FORWARDED)
    return is_loopback(request.remote_addr or "") and not forwarded


def _exposition(figures: Metrics) -> Response:
    from prometheus_client import CollectorRegistry, exposition, values  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    registry = figures.registry
    if values.ValueClass is not values.MutexValue:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(
        exposition.generate_latest(registry),
        headers={"Cache-Control": "no-store"},
        content_type=exposition.CONTENT_TYPE_LATEST,
    )
