"""Members: joining, confirming, preferences, leaving, and what happened to the people they follow."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("network", __name__)
