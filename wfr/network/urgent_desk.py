"""The desk's pages of Urgent Actions: beginning one, its next issue, issuing it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("urgent_actions", __name__)
