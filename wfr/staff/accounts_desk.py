"""The desk's pages about everybody's accounts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.extensions import utc_now
from wfr.staff import accounts, inviting
from wfr.staff.accounts import NameTaken, Outcome
from wfr.staff.forms import ROLES, ProposeForm, RoleForm
from wfr.staff.inviting import Invitation
from wfr.staff.models import AccountState, Request, Role
from wfr.staff.policy import actor, desk_route
from wfr.staff.queries import everybody, find_account

blueprint = Blueprint("accounts", __name__)


@desk_route(blueprint, "/accounts", role=Role.COORDINATOR)
def index() -> ResponseReturnValue:
    """Everybody's accounts, and what waits for a second person."""
    return _page("accounts.html")


@desk_route(blueprint, "/accounts/new", role=Role.COORDINATOR)
def new() -> ResponseReturnValue:
    """The form for a new account."""
    return _page("propose.html", form=ProposeForm())


@desk_route(blueprint, "/accounts/propose", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def propose() -> ResponseReturnValue:
    """Ask for a new account."""
    form = ProposeForm(request.form)
    if form.validate():
        try:
            outcome = accounts.propose(
                name=form.name.data, email=form.email.data, role=Role(form.role.data), by=actor()
            )
            return _told(outcome)
        except NameTaken as problem:
            form.name.errors = [problem.why]
    return make_response(_page("propose.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY)


@desk_route(blueprint, "/accounts/<int:account_id>", role=Role.COORDINATOR)
def account(account_id: int) -> ResponseReturnValue:
    """One account, and what can be asked for it."""
    found = find_account(account_id)
    return _page("account.html", account=found, form=RoleForm(role=found.role))


@desk_route(blueprint, "/accounts/<int:account_id>/role", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def ask_role(account_id: int) -> ResponseReturnValue:
    """Ask for another role."""
    form = RoleForm(request.form)
    chosen = Role(form.role.data) if form.validate() else None
    return _told(accounts.ask(account_id=account_id, request=Request.ROLE, role=chosen, by=actor()))


@desk_route(blueprint, "/accounts/<int:account_id>/reset", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def ask_reset(account_id: int) -> ResponseReturnValue:
    """Ask that an account is set up anew."""
    return _told(accounts.ask(account_id=account_id, request=Request.RESET, by=actor()))


@desk_route(blueprint, "/accounts/<int:account_id>/enable", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def ask_enable(account_id: int) -> ResponseReturnValue:
    """Ask that a disabled account is invited again."""
    return _told(accounts.ask(account_id=account_id, request=Request.ENABLE, by=actor()))


@desk_route(blueprint, "/accounts/<int:account_id>/agree", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def agree(account_id: int) -> ResponseReturnValue:
    """Agree to what waits."""
    return _told(accounts.agree(account_id=account_id, mark=request.form.get("mark", ""), by=actor()))


@desk_route(blueprint, "/accounts/<int:account_id>/refuse", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def refuse(account_id: int) -> ResponseReturnValue:
    """Refuse what waits, or take it back."""
    accounts.refuse(account_id=account_id, mark=request.form.get("mark", ""), by=actor())
    flash(_("Refused: nothing has changed."))
    return _back()


@desk_route(blueprint, "/accounts/<int:account_id>/disable", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def disable(account_id: int) -> ResponseReturnValue:
    """Close an account at once."""
    closed = accounts.disable(account_id=account_id, by=actor())
    flash(_("%(name)s is disabled and signed out everywhere.", name=closed.name))
    return _back()


@desk_route(blueprint, "/accounts/<int:account_id>/invite", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def send_again(account_id: int) -> ResponseReturnValue:
    """Send a new invitation; the one before is over."""
    _tell_invitation(inviting.send_again(account_id=account_id, by=actor()))
    return _back()


def _page(template: str, **context: Any) -> str:
    return render_template(
        f"desk/staff/{template}",
        people=everybody(),
        roles=ROLES,
        states=AccountState,
        requests=Request,
        now=utc_now(),
        **context,
    )


def _told(outcome: Outcome) -> ResponseReturnValue:
    if outcome.waits:
        flash(_("Asked. A second coordinator has to agree before anything changes."))
    elif outcome.invitation:
        _tell_invitation(outcome.invitation)
    else:
        flash(_("Agreed: the role of %(name)s has changed.", name=outcome.account.name))
    return _back()


def _tell_invitation(invitation: Invitation) -> None:
    if invitation.sent:
        flash(_("The invitation is on its way to %(email)s.", email=invitation.email))
    else:
        flash(_("The invitation could not be sent. Nothing else is lost: send it again."), "warn")


def _back() -> ResponseReturnValue:
    return redirect(url_for("accounts.index"), HTTPStatus.SEE_OTHER)
