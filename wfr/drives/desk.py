"""The desk's pages of drives: names that wait, reports to count, schools by country."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("drives_desk", __name__)
