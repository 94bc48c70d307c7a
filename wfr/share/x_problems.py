"""What can go wrong with X, by name, and how its answers are read for it.

None of these holds a token, nor the request or the library's exception that would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from wfr.extensions import utc_now

_SHORTEST_PAUSE, _USUAL_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=24)
_LIMITS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
_LONGEST_DETAIL = 200
# Codes and tokens are long and have no spaces; an answer may repeat those it was sent.
_LIKE_A_TOKEN = re.compile(r"[\w.:=+/~-]{24,}")


class XProblem(Exception):
    """X did not do what it was asked; `why` is a short word for the desk and the database."""

    why = "refused"


class Unauthorised(XProblem):
    """X does not know the token, or knows it no longer (401): somebody has to connect the account again."""

    why = "unauthorised"


class Forbidden(XProblem):
    """X may not do this for us (403); `duplicate` says that it has the same words already."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.duplicate = "duplicate" in detail.lower()
        self.why = "duplicate" if self.duplicate else "forbidden"


class Limited(XProblem):
    """X takes no more for now (429); `until` is when it will again, in UTC without a zone, within a day."""

    why = "limited"

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M} UTC")
        self.until = until


class Unclear(XProblem):
    """There was no answer that says what happened: a time-out, a broken connection, an error of X's own (5xx).

    `may_have_happened` is False only where no connection came about, so that nothing can have been taken.
    """

    why = "unclear"

    def __init__(self, detail: str, *, may_have_happened: bool = True) -> None:
        super().__init__(detail)
        self.may_have_happened = may_have_happened


class RefusedByX(XProblem):
    """X refused for another reason (other 4xx); `detail` are its own words, shortened and without anything secret."""

    def __init__(self, status: int, detail: str = "") -> None:
        super().__init__(f"{status} {detail}".strip())
        self.status = status
        self.detail = detail


def no_answer(broken: requests.RequestException) -> Unclear:
    """Say what a request that was not answered may have done; only a connection that never was has done nothing."""
    inner = broken.args[0] if broken.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    never = isinstance(broken, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)
    return Unclear(type(broken).__name__, may_have_happened=not never)


def problem_in(answer: requests.Response) -> XProblem | None:
    """Return what is wrong with an answer of X's, or None for a JSON object with a status of 2xx."""
    status = answer.status_code
    said = _object_in(answer)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Unclear("X's answer is not what it documents") if said is None else None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unclear(f"{status}")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Limited(_resumes(answer.headers))
    detail = _detail(said or {})
    if status == HTTPStatus.FORBIDDEN:
        return Forbidden(detail)
    return Unauthorised(detail) if status == HTTPStatus.UNAUTHORIZED else RefusedByX(status, detail)


def _object_in(answer: requests.Response) -> dict[str, Any] | None:
    try:
        said = answer.json()
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _detail(said: Mapping[str, Any]) -> str:
    words = next((said[name] for name in ("detail", "error_description", "title", "error") if said.get(name)), "")
    return _LIKE_A_TOKEN.sub("…", str(words))[:_LONGEST_DETAIL]


def _resumes(headers: Mapping[str, str]) -> datetime:
    """Return when X takes requests again: the latest hour of a limit that is used up, between a minute and a day on."""
    now = utc_now()
    spent = [name for name in _LIMITS if headers.get(f"{name}-remaining") == "0"] or _LIMITS[:1]
    moments = [_moment(headers.get(f"{name}-reset")) for name in spent]
    after = headers.get("retry-after", "")
    moments.append(now + min(timedelta(seconds=int(after)), _LONGEST_PAUSE) if _is_number(after) else None)
    known = [moment for moment in moments if moment is not None] or [now + _USUAL_PAUSE]
    return min(max(*known, now + _SHORTEST_PAUSE), now + _LONGEST_PAUSE)


def _moment(seconds: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None) if seconds and _is_number(seconds) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len("1700000000")
