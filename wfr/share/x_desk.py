"""The desk's pages of the campaign's account on X: connecting it, and what it costs."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("x_account", __name__)
