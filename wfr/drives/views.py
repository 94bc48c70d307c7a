"""The pages of teachers: starting a drive, confirming it, looking after it, reporting."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("drives", __name__)
