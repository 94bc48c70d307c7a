"""The desk's pages of mailings: writing, approving, sending, and how far each has come."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("mailings", __name__)
