"""The outbox: mail that was laid in a folder because no mail server is set, readable by the desk."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("outbox", __name__)
