"""Share cards: the pictures that networks show beside a link."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("share_cards", __name__)
