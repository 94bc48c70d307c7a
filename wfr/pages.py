"""What every public page shares: who is asking (htmx or a person), and how long an answer may be kept."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from wfr.extensions import htmx

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

P = ParamSpec("P")

# What depends on a case's state may be old by 4 s in all, so that a withdrawal is seen in 5: what is read of the cases
# (SHELF, served at most twice that old while somebody refreshes it), then the finished page in this process, then a
# shared cache.
SHELF_SECONDS = 0.5
PROCESS_SECONDS = 1.0
SHARED_SECONDS = 2
PAGES_KEPT = 512

KEEP_HEADER = "CDN-Cache-Control"
_ASKED_BY = "wfr.asked_by"
CONDITIONS = frozenset({"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE"})


def language() -> str:
    """Return the language of the present page, as a tag such as ``en``; catalogues for others come later."""
    return str(get_locale() or "en").replace("_", "-")


def wants_fragment() -> bool:
    """Say whether htmx asks for a part of the page, rather than a person for the whole."""
    return bool(htmx and not htmx.boosted and not htmx.history_restore_request)


def wants_page() -> bool:
    """Say whether the page itself is asked for, rather than its headers alone (HEAD)."""
    return bool(request.environ.get(_ASKED_BY, request.method) != "HEAD")


def public(view: Callable[P, ResponseReturnValue]) -> Callable[P, Response]:
    """Mark a view whose answer is the same for everybody: browsers ask again each time, caches keep it a moment."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Response:
        response = make_response(view(*args, **kwargs))
        response.headers["Cache-Control"] = "no-cache"
        response.headers[KEEP_HEADER] = f"max-age={SHARED_SECONDS}"
        response.vary.add("HX-Request")
        response.add_etag()
        return response

    return answer


def private(view: Callable[P, ResponseReturnValue]) -> Callable[P, Response]:
    """Mark a view whose answer carries a ticket or a person's own words: nobody may keep it."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Response:
        response = make_response(view(*args, **kwargs))
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer


@dataclass(slots=True)
class _Copy:
    status: str
    headers: list[tuple[str, str]]
    body: bytes
    etag: str | None
    made: float


class PageCache:
    """WSGI middleware: keeps finished public pages for a second, as a shared cache before the server would.

    It keeps what carries `KEEP_HEADER`, by address, encoding and whether htmx asked; never what has a query string.
    """

    def __init__(self, app: WSGIApplication, *, seconds: float = PROCESS_SECONDS, room: int = PAGES_KEPT) -> None:
        self.app = app
        self.seconds = seconds
        self.room = room
        self._copies: OrderedDict[tuple[str, ...], _Copy] = OrderedDict()
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Drop every kept page, so that the next visitor is shown what is true now."""
        with self._lock:
            self._copies.clear()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from the kept copy, or ask the app."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or environ.get("QUERY_STRING"):
            return self.app(environ, start_response)
        key = (environ["PATH_INFO"], environ.get("HTTP_HX_REQUEST", ""), _encoding(environ))
        copy = self._copies.get(key)
        if copy and time.monotonic() - copy.made < self.seconds:
            return _serve(copy, environ, start_response)
        return self._fetch(key, environ, start_response)

    def _fetch(self, key: tuple[str, ...], environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # The app must give the whole page, whatever this browser has of it already.
        whole = {name: value for name, value in environ.items() if name not in CONDITIONS}
        whole["REQUEST_METHOD"] = "GET"
        whole[_ASKED_BY] = environ["REQUEST_METHOD"]
        seen: list[tuple[str, list[tuple[str, str]]]] = []

        def look(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            seen.append((status, headers))
            if _keepable(status, headers):
                return lambda _data: None
            return start_response(status, headers, exc_info)

        began = time.monotonic()
        answer = self.app(whole, look)
        status, headers = seen[-1]
        if not _keepable(status, headers):
            return answer
        copy = _Copy(status, headers, b"".join(answer), dict(headers).get("ETag"), began)
        if hasattr(answer, "close"):
            answer.close()
        with self._lock:
            self._copies[key] = copy
            self._copies.move_to_end(key)
            while len(self._copies) > self.room:
                self._copies.popitem(last=False)
        return _serve(copy, environ, start_response)


def _encoding(environ: WSGIEnvironment) -> str:
    accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
    return next((name for name in ("zstd", "br", "gzip") if name in accepted), "")


def _keepable(status: str, headers: list[tuple[str, str]]) -> bool:
    return status.startswith("200") and any(name == KEEP_HEADER for name, _ in headers)


def _serve(copy: _Copy, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    asked = environ.get("HTTP_IF_NONE_MATCH")
    if asked and copy.etag and _bare(copy.etag) in map(_bare, asked.split(",")):
        start_response("304 Not Modified", [pair for pair in copy.headers if not pair[0].startswith("Content-")])
        return []
    start_response(copy.status, copy.headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [copy.body]


def _bare(etag: str) -> str:
    return etag.strip().removeprefix("W/")
