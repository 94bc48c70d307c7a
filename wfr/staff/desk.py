"""The desk's pages about people: signing in, one's own account, everybody's accounts, the audit trail."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from wfr.staff.models import Role
from wfr.staff.policy import desk_route

blueprint = Blueprint("staff", __name__)


@desk_route(blueprint, "/sign-in", role=None, methods=("GET", "POST"))
def sign_in() -> ResponseReturnValue:
    """Name, password and code."""
    return render_template("desk/staff/sign_in.html")


@desk_route(blueprint, "/sign-out", role=Role.WRITER, methods=("POST",))
def sign_out() -> ResponseReturnValue:
    """End this session."""
    logout_user()
    return redirect(url_for("staff.sign_in"), HTTPStatus.SEE_OTHER)


@desk_route(blueprint, "/me", role=Role.WRITER)
def me() -> ResponseReturnValue:
    """One's own account."""
    return render_template("desk/staff/me.html")
