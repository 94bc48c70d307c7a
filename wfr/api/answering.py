"""How programs of others are answered: open to every origin, and every refusal as a problem in JSON (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Blueprint, Response, request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from wfr.errors import AWAY, RETRY_AFTER_SECONDS, NoSuchThing, NotPossibleNow, rule

PROBLEM_TYPE = "application/problem+json"
PREFLIGHT_SECONDS = 24 * 60 * 60
METHODS = ("GET", "HEAD", "OPTIONS")

log = structlog.get_logger(__name__)


def problem(status: HTTPStatus, detail: str = "", errors: Mapping[str, Any] | None = None) -> Response:
    """Return a refusal as a program reads it: the status, its name, and what to know or do."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value}
    more = {"detail": detail, "errors": errors}
    words = json.dumps({**body, **{name: value for name, value in more.items() if value}}, ensure_ascii=False)
    return Response(words, status, mimetype=PROBLEM_TYPE, headers={"Cache-Control": "no-cache"})


def open_to_all(blueprint: Blueprint) -> None:
    """Let pages of every origin read what `blueprint` answers, its refusals too, which are problems in JSON."""
    blueprint.after_request(_allow_every_origin)
    for error, handler in _HANDLERS:
        blueprint.register_error_handler(error, handler)


def _allow_every_origin(response: Response) -> Response:
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = "ETag, Retry-After"
    if request.method == "OPTIONS":
        headers["Allow"] = headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
        headers["Access-Control-Allow-Headers"] = "Content-Type, If-None-Match"
        headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


def _not_found(_error: Exception) -> Response:
    return problem(HTTPStatus.NOT_FOUND, _("There is nothing at this address."))


def _gone(_error: NotPossibleNow) -> Response:
    return problem(HTTPStatus.GONE, _("This is no longer here. Please take down what you show of it."))


def _away(error: Exception) -> Response:
    log.error("database_away", rule=rule(), error=type(error).__name__)
    response = problem(HTTPStatus.SERVICE_UNAVAILABLE, _("The data cannot be read at the moment."))
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _other(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    # webargs leaves here what is wrong, by place and field.
    messages = getattr(error, "data", {}).get("messages", {})
    response = problem(status, errors=messages.get("query"))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.error("unexpected_error", rule=rule(), method=request.method, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR)


_HANDLERS: tuple[tuple[Any, Any], ...] = (
    (NoSuchThing, _not_found),
    (NotPossibleNow, _gone),
    (HTTPStatus.NOT_FOUND, _other),
    (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _other),
    (HTTPStatus.TOO_MANY_REQUESTS, _other),
    (HTTPException, _other),
    *((away, _away) for away in AWAY),
    (Exception, _unexpected),
)
