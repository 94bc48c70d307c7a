"""What can go wrong, by name, and the pages that help a visitor when it does."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, TooManyRequests

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 30
ONE_MINUTE_SECONDS = 60
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)


class DomainError(Exception):
    """A refusal that the caller can explain to a person."""


class NoSuchThing(DomainError):
    """There is nothing at this address (404)."""


class NotPossibleNow(DomainError):
    """The thing exists, but not for this, not now (410).

    `what` is ``withdrawn``, ``paused``, ``closed``, ``expired``, ``coming`` or ``not_offered``; `about` is what the
    page may show of it, and is empty for a withdrawn case, whose page no longer names the person.
    """

    def __init__(self, what: str, about: Mapping[str, Any] | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.about = dict(about or {})


class NotAllowed(DomainError):
    """Whoever asks may not do this (403); the words say why."""

    def __init__(self, why: object) -> None:
        super().__init__(str(why))
        self.why = why


class Refused(DomainError):
    """What was asked for cannot be done as things stand (409); the words say why, and what to do."""

    def __init__(self, why: object) -> None:
        super().__init__(str(why))
        self.why = why


class DatabaseAway(DomainError):
    """The database did not answer; nothing was recorded (503)."""


AWAY = (DatabaseAway, *DATABASE_AWAY)
"""What a view that keeps a visitor's words has to catch."""


LAST_RESORT = "<!doctype html><html lang=en><title>Error</title><h1>Error</h1><p>Something is broken on our side.</p>"


def _page(name: str, status: int, **context: Any) -> Response:
    try:
        response = make_response(render_template(f"errors/{name}.html", **context), status)
    except Exception:
        # An error page that fails must not show a stack trace, or fail for ever.
        log.exception("error_page_failed", page=name)
        response = make_response(LAST_RESORT, status)
    response.headers["Cache-Control"] = "no-cache"
    return response


def rule() -> str:
    """Return the rule of the present request's address, for a log: the address itself may hold a private link."""
    return request.url_rule.rule if request.url_rule else "none"


def not_found(_error: Exception) -> Response:
    """Answer 404: there is nothing here."""
    return _page("404", HTTPStatus.NOT_FOUND)


def no_such_number(error: DataError) -> Response:
    """Answer 404 to a number in an address that no column holds; SQLite's driver says `OverflowError` to it."""
    return not_found(error) if type(error.orig).__name__ == "NumericValueOutOfRange" else unexpected(error)


def gone(error: NotPossibleNow) -> Response:
    """Answer 410: not for this, not now, and what one can still do."""
    return _page("410", HTTPStatus.GONE, what=error.what, **{"case": None, **error.about})


def too_large(_error: HTTPException) -> Response:
    """Answer 413: more text than any letter has."""
    return _page("413", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def too_many(error: TooManyRequests) -> Response:
    """Answer 429, and say when to come back."""
    seconds = error.retry_after if isinstance(error.retry_after, int) else ONE_MINUTE_SECONDS
    response = _page("429", HTTPStatus.TOO_MANY_REQUESTS, retry_after=seconds)
    response.headers["Retry-After"] = str(seconds)
    return response


def database_away(error: Exception) -> Response:
    """Answer 503: nothing was recorded, and it will be possible again."""
    log.error("database_away", rule=rule(), error=type(error).__name__)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    for_programs = request.path.endswith(".json")
    response = make_response(jsonify(error="unavailable"), status) if for_programs else _page("503", status)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def other(error: HTTPException) -> Response:
    """Answer any other refusal of the framework's with a page of ours."""
    code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    response = _page("400" if code < HTTPStatus.INTERNAL_SERVER_ERROR else "500", code)
    for header, value in error.get_headers():
        if header in ("Allow", "Retry-After"):
            response.headers[header] = value
    return response


def unexpected(error: Exception) -> Response:
    """Answer 500, and keep the trace for the log."""
    log.error("unexpected_error", rule=rule(), method=request.method, exc_info=error)
    return _page("500", HTTPStatus.INTERNAL_SERVER_ERROR)


HANDLERS: tuple[tuple[Any, Any], ...] = (
    (NoSuchThing, not_found),
    (HTTPStatus.NOT_FOUND, not_found),
    (OverflowError, not_found),
    (DataError, no_such_number),
    (NotPossibleNow, gone),
    (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large),
    (HTTPStatus.TOO_MANY_REQUESTS, too_many),
    *((away, database_away) for away in AWAY),
    (HTTPException, other),
    (Exception, unexpected),
)


def init_app(app: Flask) -> None:
    """Give every error a page that says what to do next; never a stack trace."""
    for error, handler in HANDLERS:
        app.register_error_handler(error, handler)
