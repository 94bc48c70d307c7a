"""The process's own page cache: one rendering for everybody, and never somebody else's variant."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from werkzeug.test import Client

from wfr.pages import KEEP_HEADER, PageCache


class Counting:
    """A tiny WSGI app that says how often it was asked."""

    def __init__(self, status: str = "200 OK", *, keep: bool = True) -> None:
        self.status, self.keep, self.calls = status, keep, 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.calls += 1
        headers = [("Content-Type", "text/plain"), ("ETag", '"one"')]
        start_response(self.status, headers + ([(KEEP_HEADER, "max-age=2")] if self.keep else []))
        return [f"{self.calls} {environ.get('HTTP_HX_REQUEST', 'page')}".encode()]


def test_a_second_visitor_gets_the_same_page_without_work() -> None:
    app = Counting()
    client = Client(PageCache(app))
    assert [client.get("/").data for _ in range(3)] == [b"1 page"] * 3
    assert app.calls == 1


def test_htmx_and_a_person_are_kept_apart() -> None:
    client = Client(PageCache(Counting()))
    assert client.get("/").data == b"1 page"
    assert client.get("/", headers={"HX-Request": "true"}).data == b"2 true"


def test_a_page_grows_old() -> None:
    app = Counting()
    client = Client(PageCache(app, seconds=0.05))
    client.get("/")
    time.sleep(0.06)
    assert client.get("/").data == b"2 page"


def test_what_is_not_marked_or_not_good_is_not_kept() -> None:
    for app in (Counting(keep=False), Counting("404 NOT FOUND"), Counting("503 SERVICE UNAVAILABLE")):
        client = Client(PageCache(app))
        client.get("/")
        client.get("/")
        assert app.calls == 2


def test_a_query_and_a_form_go_past_the_cache() -> None:
    app = Counting()
    client = Client(PageCache(app))
    for _ in range(2):
        client.get("/?a=b")
        client.post("/")
    assert app.calls == 4


def test_head_and_304_have_no_body() -> None:
    client = Client(PageCache(Counting()))
    assert client.get("/").data
    assert client.head("/").data == b""
    same = client.get("/", headers={"If-None-Match": 'W/"one", "two"'})
    assert (same.status_code, same.data) == (304, b"")


def test_room_is_limited() -> None:
    cache = PageCache(Counting(), room=3)
    client = Client(cache)
    for number in range(10):
        client.get(f"/{number}")
    assert len(cache._copies) == 3
