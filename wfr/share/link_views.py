"""Share links: where they lead, and what came of them."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("share_links", __name__)
