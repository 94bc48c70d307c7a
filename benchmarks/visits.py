"""What a visitor does: opens a page, or makes a whole pledge with the form that the page really carries."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable
from html.parser import HTMLParser

import brotli  # type: ignore[import-not-found, import-untyped, unused-ignore]
from flask import Flask

from benchmarks import client
from benchmarks.client import Answer, Unexpected, Visit
from wfr.cases.models import Kind
from wfr.cases.queries import shelf
from wfr.pledges.simulating import COUNTRIES

OK = 200
TICKET = re.compile(rb'name="ticket" value="([^"]+)"')
OWN = {
    "name": "Ada Vale",
    "address": "1 River Road\nLomé",
    "own_words": "I was moved by this story, and I will not forget it.",
}


def letter_path(app: Flask) -> str:
    """Return the address of the writing table of the first case that offers a letter."""
    with app.app_context():
        slug = next(case.slug for case in shelf().featured() if case.offers(Kind.LETTER) and case.target(Kind.LETTER))
    return f"/cases/{slug}/letter"


def page(path: str, *, encoding: str = client.ENCODING) -> Callable[[], Visit]:
    """Return a visit that opens one page."""
    request = client.get(path, encoding=encoding)

    def visit() -> Visit:
        expect(OK, (yield request), path)

    return visit


def whole_pledge(path: str, fields: dict[str, str], *, encoding: str = client.ENCODING) -> Callable[[], Visit]:
    """Return a visit that opens the form at `path`, takes its ticket and sends it with `fields`, from some country."""
    request = client.get(path, encoding=encoding)
    chance = random.Random()
    countries, weights = list(COUNTRIES), list(COUNTRIES.values())

    def visit() -> Visit:
        form = yield request
        expect(OK, form, path)
        sent = {**fields, "ticket": ticket_in(body_of(form)), "country": chance.choices(countries, weights)[0]}
        expect(OK, (yield client.post(path, sent, encoding=encoding)), path)

    return visit


def ticket_in(body: bytes) -> str:
    """Return the ticket of the form in a page; raises `Unexpected`."""
    found = TICKET.search(body)
    if found is None:
        raise Unexpected("the page carries no ticket")
    return found[1].decode()


def expect(status: int, answer: Answer, path: str) -> None:
    """Raise `Unexpected` unless the answer has this status."""
    if answer.status != status:
        raise Unexpected(f"{path} answered {answer.status}: {body_of(answer)[:2000]!r}")


def body_of(answer: Answer) -> bytes:
    """Return the body, uncompressed."""
    if b"content-encoding: br" in answer.head:
        return bytes(brotli.decompress(answer.body))
    if b"content-encoding: gzip" in answer.head:
        return zlib.decompress(answer.body, wbits=31)
    if b"content-encoding: zstd" in answer.head:
        from backports import zstd  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 -- only where served

        return bytes(zstd.decompress(answer.body))
    return answer.body


def filled_form(body: bytes) -> dict[str, str]:
    """Return what a browser would send of a page's main form: its fields as they came, a visitor's own lines added."""
    reader = _FormReader()
    reader.feed(body.decode())
    return {**reader.fields, **{name: words for name, words in OWN.items() if name in reader.fields}}


class _FormReader(HTMLParser):
    """Reads the fields of the form that carries the ticket."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._form: dict[str, str] = {}
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self._form = {}
        elif tag == "textarea":
            self._textarea = name
            self._form[name] = ""
        elif (tag == "input" and name and (given.get("type") != "radio" or "checked" in given)) or tag == "select":
            self._form[name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._form[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = None
        elif tag == "form" and "ticket" in self._form and not self.fields:
            self.fields = self._form
