"""The page linter: every page that any test fetches is read as a page, strictly."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import html5lib
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

XHTML = "{http://www.w3.org/1999/xhtml}"
ENTITY_ERRORS = re.compile(r"%\((\w+)\)s")
TOKEN = re.compile(r'(?<=name="csrf_token" value=")[\w.~-]+(?=")|(?<=name="ticket" value=")[\w.~-]+(?=")')


class BadPage(AssertionError):
    """A page breaks one of the linter's rules."""


class LintingClient(FlaskClient):
    """A test client that lints whatever HTML page comes back, and refuses cookies on the public site."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # type: ignore[override]
        response = super().open(*args, **kwargs)
        # What is shut in a sandbox is no page of ours: a mail, which carries its own look.
        ours = not response.headers.get("Content-Security-Policy", "").startswith("sandbox")
        if ours and response.mimetype == "text/html" and response.data.lstrip()[:9].lower() == b"<!doctype":
            lint_page(response.get_data(as_text=True), response.request.path)
        if "Set-Cookie" in response.headers and not response.request.path.startswith("/desk"):
            raise BadPage(f"{response.request.path} sets a cookie")
        return response


def lint_page(html: str, where: str) -> None:
    """Check one whole page; raises `BadPage` naming `where` and the rule."""
    problems = find_problems(TOKEN.sub("token", html))
    if problems:
        raise BadPage(f"{where}: " + "; ".join(problems))


def read_page(html: str) -> ET.Element:
    """Return the root of a page, for reading only. Every token in it reads `token`."""
    return _parse(TOKEN.sub("token", html))[0]


# Most pages of a run have been seen before, but for their tokens; parsing is most of what a page costs here.
@lru_cache(maxsize=16)
def _parse(html: str) -> tuple[ET.Element, list[Any]]:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"))
    return parser.parse(html), parser.errors


@lru_cache(maxsize=512)
def find_problems(html: str) -> list[str]:
    """Return every broken rule of a page in words."""
    document, errors = _parse(html)
    problems = [f"HTML: {code} at line {place[0]} {data}" for place, code, data in errors]
    every = list(document.iter())
    problems += _headings(document) + _ids(every) + _forms(every) + _our_own(every)
    text = "".join(document.itertext())
    if "{{" in text or "{%" in text or ENTITY_ERRORS.search(text):
        problems.append("a template's own marks are visible")
    if any((element.text or "").strip() in ("None", "Undefined") for element in every):
        problems.append("None or Undefined is visible")
    return problems


def _words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _headings(document: ET.Element) -> list[str]:
    headings = [_words(h1) for h1 in document.iter(f"{XHTML}h1")]
    if len(headings) != 1:
        return [f"{len(headings)} h1 instead of one"]
    titles = [_words(title) for title in document.iter(f"{XHTML}title")]
    title = titles[0] if titles else ""
    if not title.removeprefix("Error: ").startswith(headings[0]):
        return [f"the title «{title}» does not start with the h1 «{headings[0]}»"]
    return []


def _ids(every: list[ET.Element]) -> list[str]:
    ids = Counter(identity for element in every if (identity := element.get("id")))
    problems = [f"id {identity} stands {count} times" for identity, count in ids.items() if count > 1]
    for element in every:
        for attribute in ("for", "aria-describedby", "aria-labelledby", "aria-controls", "list"):
            missing = [identity for identity in (element.get(attribute) or "").split() if identity not in ids]
            problems += [f"{attribute} points to {identity}, which is not there" for identity in missing]
        href = element.get("href") or ""
        if href.startswith("#") and len(href) > 1 and href[1:] not in ids:
            problems.append(f"a link points to {href}, which is not there")
    return problems


def _forms(every: list[ET.Element]) -> list[str]:
    problems = []
    for form in (element for element in every if element.tag == f"{XHTML}form"):
        action = form.get("action")
        if form.get("hidden") is not None and not action:
            continue  # shown and sent by a script only
        if not action or urlsplit(action).netloc:
            problems.append(f"a form's action is «{action}»")
        if form.get("method", "get").lower() == "post" and "?" in (action or ""):
            problems.append(f"a form posts to an address with a query: {action}")
    for control in every:
        if control.tag in (f"{XHTML}input", f"{XHTML}select", f"{XHTML}textarea"):
            hidden = control.get("type") in ("hidden", "submit")
            named = control.get("aria-label") or control.get("aria-labelledby") or _labelled(control, every)
            if not hidden and not named:
                problems.append(f"a field has no label: {control.attrib}")
    return problems


def _labelled(control: ET.Element, every: list[ET.Element]) -> bool:
    labels = [element for element in every if element.tag == f"{XHTML}label"]
    return any(
        label.get("for") == control.get("id") or control in list(label.iter())
        for label in labels
        if control is not None
    )


def _our_own(every: list[ET.Element]) -> list[str]:
    problems = []
    for element in every:
        name = str(element.tag).rpartition("}")[2]
        if element.get("style") is not None or name == "style":
            problems.append(f"inline style in <{name}>")
        if name == "script" and not element.get("src") and element.get("type") != "application/ld+json":
            problems.append("inline script")
        if any(attribute.startswith("on") for attribute in element.attrib):
            problems.append(f"inline handler in <{name}>")
        if name == "img" and element.get("alt") is None:
            problems.append("an image has no alt")
        source = element.get("src") or (
            element.get("href") if name == "link" and element.get("rel") not in ("canonical", "alternate") else ""
        )
        if source and urlsplit(source).netloc:
            problems.append(f"<{name}> loads from another host: {source}")
        if name in ("meta", "link", "script") or element.text is None:
            continue
    return problems
