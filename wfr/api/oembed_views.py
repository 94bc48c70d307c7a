"""oEmbed (oembed.com): what another site shows for a plain link to a case."""

from __future__ import annotations

from http import HTTPStatus
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.api.addresses import case_at
from wfr.api.answering import open_to_all, problem
from wfr.api.embed_views import HEIGHT, WIDTH, embed_code
from wfr.cases.models import Case
from wfr.extensions import settings
from wfr.pages import language, public
from wfr.share.cards import card_of
from wfr.text import without_sources

CACHE_SECONDS = 300
"""How long others are asked to keep what names a case, which may be withdrawn."""

Parts = dict[str, str | int]

blueprint = Blueprint("api_oembed", __name__)
open_to_all(blueprint)


@blueprint.get("/oembed")
@public
def oembed() -> ResponseReturnValue:
    """The frame for the case that ``url`` is about, as JSON or XML, no larger than asked."""
    form = request.args.get("format", "json")
    if form not in ("json", "xml"):
        return problem(HTTPStatus.NOT_IMPLEMENTED, _("The formats are json and xml."))
    parts = _parts(case_at(request.args.get("url", "")), _most("maxwidth"), _most("maxheight"))
    return jsonify(parts) if form == "json" else Response(_as_xml(parts), content_type="text/xml; charset=utf-8")


def _most(name: str) -> int | None:
    """Return a limit in pixels; what is no size limits nothing."""
    asked = request.args.get(name, "")
    return int(asked) or None if asked.isascii() and asked.isdecimal() and len(asked) < 6 else None


def _parts(case: Case, most_width: int | None, most_height: int | None) -> Parts:
    width, height = min(WIDTH, most_width or WIDTH), min(HEIGHT, most_height or HEIGHT)
    headline = without_sources(case.text(language()).headline)
    parts: Parts = {
        "version": "1.0",
        "type": "rich",
        "title": f"{case.name}: {headline}",
        "provider_name": settings().site_name,
        "provider_url": settings().base_url,
        "cache_age": CACHE_SECONDS,
        "html": str(embed_code(case, width, height)),
        "width": width,
        "height": height,
    }
    if settings().organisation:
        parts["author_name"] = settings().organisation
    card = card_of(case, language())
    # A thumbnail has to respect the limits too, and there is one size of card.
    if card.width <= (most_width or card.width) and card.height <= (most_height or card.height):
        parts |= {"thumbnail_url": card.url, "thumbnail_width": card.width, "thumbnail_height": card.height}
    return parts


def _as_xml(parts: Parts) -> bytes:
    root = ET.Element("oembed")
    for name, value in parts.items():
        ET.SubElement(root, name).text = str(value)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
