"""The pages of pupils: a code, a case, a letter; and the wall that shows how many there are."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("joining", __name__)
