"""What a visitor does, in one call: open the form, fill it in, send it."""

from __future__ import annotations

import html
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

TICKET = re.compile(r'name="ticket" value="([^"]+)"')


def ticket_in(page: TestResponse) -> str:
    """Return the ticket that a page's form carries."""
    found = TICKET.search(page.get_data(as_text=True))
    assert found, "the page carries no ticket"
    return html.unescape(found[1])


def fill_in(visitor: FlaskClient, path: str, **fields: Any) -> dict[str, Any]:
    """Open the form at `path` and return what posting it would send, with `fields` filled in."""
    return {"ticket": ticket_in(visitor.get(path)), "country": "TG", **fields}


def act(visitor: FlaskClient, slug: str, kind: str = "letter", **fields: Any) -> TestResponse:
    """Open a case's writing table and send it."""
    path = f"/cases/{slug}/{kind}"
    if kind == "post":
        fields = {"message": "Set her free!", **fields}
    return visitor.post(path, data=fill_in(visitor, path, **fields))


def text_of(page: TestResponse) -> str:
    """Return what a person reads on a page, roughly: without tags, white space folded."""
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page.get_data(as_text=True), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
