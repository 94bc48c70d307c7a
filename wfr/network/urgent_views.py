"""Urgent Actions: what is urgent now, one Urgent Action and its earlier issues, the same as PDF, the archive."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("urgent", __name__)
