"""Curating: the desk's pages of cases, from the first draft to the last update."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from wfr.staff.models import Role
from wfr.staff.policy import desk_route

blueprint = Blueprint("curating", __name__)


@desk_route(blueprint, "/", role=Role.WRITER)
def home() -> ResponseReturnValue:
    """What waits for whom is signed in, and how the season goes."""
    return render_template("desk/cases/home.html")
