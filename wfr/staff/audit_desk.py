"""The desk's page of the audit trail."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from wfr.staff.models import Role
from wfr.staff.policy import desk_route
from wfr.staff.queries import Wanted, read_trail

LONGEST_FILTER = 80

blueprint = Blueprint("audit", __name__)


@desk_route(blueprint, "/audit", role=Role.COORDINATOR)
def trail() -> ResponseReturnValue:
    """Who did what to which thing, newest first."""
    given = {name: request.args.get(name, "").strip()[:LONGEST_FILTER] for name in ("who", "thing", "what")}
    wanted = Wanted(**given, before=request.args.get("before", type=int))
    return render_template("desk/staff/audit.html", wanted=wanted, trail=read_trail(wanted))
