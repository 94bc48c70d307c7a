"""The desk's pages of the campaign's account on X: connecting it, what stands in its way, and letting go of it.

X sends a coordinator back by GET. That page changes nothing: its button does, with a CSRF token, in the same session.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from wfr.errors import Refused
from wfr.share.account_queries import account_for_desk
from wfr.share.connecting import begin_connecting, finish_connecting
from wfr.share.connecting import disconnect as disconnect_account
from wfr.share.post_showing import spending
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route

blueprint = Blueprint("x_account", __name__)


@desk_route(blueprint, "/share/account", role=Role.COORDINATOR)
def account() -> ResponseReturnValue:
    """The campaign's account on X: whose it is, whether it works, and what this month has cost."""
    return _page()


@desk_route(blueprint, "/share/account/connect", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def connect() -> ResponseReturnValue:
    """Show the way to X; a link, as our pages let no form lead to another host."""
    address = begin_connecting(by=actor(), session_key=_session_key())
    return render_template("desk/share/account_leave.html", address=address)


@desk_route(blueprint, "/share/account/callback", role=Role.COORDINATOR)
def callback() -> ResponseReturnValue:
    """Ask whoever comes back from X to finish."""
    if "error" in request.args:
        return _page(refused=_("X says that nobody allowed it. Nothing was connected.")), HTTPStatus.CONFLICT
    return render_template(
        "desk/share/account_back.html", state=request.args.get("state", ""), code=request.args.get("code", "")
    )


@desk_route(blueprint, "/share/account/callback", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def finish() -> ResponseReturnValue:
    """Connect the account that X's answer is for."""
    state, code = request.form.get("state", ""), request.form.get("code", "")
    try:
        connected = finish_connecting(by=actor(), session_key=_session_key(), state=state, code=code)
    except Refused as refusal:
        # Not the page of refusals, whose way back would lead to X's answer again.
        return _page(refused=refusal.why), HTTPStatus.CONFLICT
    flash(_("Connected: @%(handle)s.", handle=connected.handle), "good")
    return _to_account()


@desk_route(blueprint, "/share/account/disconnect", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def disconnect() -> ResponseReturnValue:
    """Let go of the account, here and at X."""
    if disconnect_account(by=actor()):
        flash(_("Disconnected. X has forgotten our access, and so have we."), "good")
    else:
        flash(
            _(
                "Disconnected here: our access is deleted. X could not be told. Take the app away there too, in the "
                "account’s settings under “Connected apps”."
            ),
            "warn",
        )
    return _to_account()


def _page(*, refused: object = None) -> str:
    return render_template("desk/share/account.html", seen=account_for_desk(), spending=spending(), refused=refused)


def _session_key() -> str:
    """Return what only this browser's desk session has."""
    return str(current_user.token)


def _to_account() -> ResponseReturnValue:
    return redirect(url_for("x_account.account"), HTTPStatus.SEE_OTHER)
