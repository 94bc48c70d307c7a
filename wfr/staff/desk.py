"""The desk's pages about oneself: signing in and out, setting up one's account, and looking after it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user, login_user
from wtforms import Form

from wfr.extensions import utc_now
from wfr.staff import inviting, securing, signing_in
from wfr.staff.browsers import browser_words
from wfr.staff.devices import KEPT
from wfr.staff.forms import PasswordForm, SecondFactorForm, SetUpForm, SignInForm
from wfr.staff.inviting import InvitationOver, accept, read_invitation
from wfr.staff.models import Role
from wfr.staff.passwords import BadPassword, WrongPassword
from wfr.staff.policy import PREFIX, actor, desk_route
from wfr.staff.policy import me as my_row
from wfr.staff.queries import my_account
from wfr.staff.second_factor import WrongCode, offer_enrolment
from wfr.staff.signing_in import Attempt, Entered

blueprint = Blueprint("staff", __name__)


@desk_route(blueprint, "/sign-in", role=None, methods=("GET", "POST"))
def sign_in() -> ResponseReturnValue:
    """Name, password and code. What is wrong of them is never said, nor whether there is such a name."""
    if request.method == "POST":
        return _enter(SignInForm(request.form))
    wanted = local_path(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(wanted or url_for("curating.home"), HTTPStatus.SEE_OTHER)
    form = SignInForm(next=wanted or "")
    return render_template("desk/staff/sign_in.html", form=form, again=request.args.get("again"))


def _enter(form: SignInForm) -> Response:
    wanted = local_path(form.next.data)
    outcome = signing_in.sign_in(
        Attempt(
            name=form.name.data or "",
            password=form.password.data or "",
            code=form.code.data or "",
            address=current_app.extensions["wfr.address_key"](),
            device=device_token(),
            browser=browser_words(request.user_agent.string),
            former=current_user.session.id if current_user.is_authenticated else None,
        )
    )
    if not isinstance(outcome, Entered):
        return _see(url_for("staff.sign_in", again=outcome.value, next=wanted))
    # Nothing that was in the browser before may live on in the session of whom it belongs to now.
    session.clear()
    login_user(outcome.who)
    response = _see(wanted or url_for("curating.home"))
    response.set_cookie(
        _device_cookie(),
        outcome.device,
        max_age=KEPT,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


def local_path(wanted: str | None) -> str | None:
    """Return `wanted` if it is a path below the desk on this very site, else None."""
    parts = urlsplit(wanted or "")
    below = wanted is not None and (parts.path == PREFIX or parts.path.startswith(f"{PREFIX}/"))
    plain = not (parts.scheme or parts.netloc) and "\\" not in parts.path and ".." not in parts.path
    return wanted if below and plain and (wanted or "").isprintable() else None


def device_token() -> str | None:
    """Return the token by which this browser is known, if it ever signed in."""
    return request.cookies.get(_device_cookie())


def _device_cookie() -> str:
    return "__Host-desk-device" if current_app.config["SESSION_COOKIE_SECURE"] else "desk-device"


def _see(address: str) -> Response:
    return make_response(redirect(address, HTTPStatus.SEE_OTHER))


@desk_route(blueprint, "/sign-out", role=Role.WRITER, methods=("POST",))
def sign_out() -> ResponseReturnValue:
    """End this session."""
    signing_in.sign_out(session_id=current_user.session.id, by=actor())
    session.clear()
    return _see(url_for("staff.sign_in"))


@desk_route(blueprint, "/invitation/<token>", role=None, methods=("GET", "POST"))
def invitation(token: str) -> ResponseReturnValue:
    """Set up an account; opening the link changes nothing."""
    try:
        account = read_invitation(token)
        form = SetUpForm(request.form)
        if request.method == "POST" and form.validate():
            codes = _tried(form, lambda: _accept(token, form))
            if codes:
                return render_template("desk/staff/recovery_codes.html", codes=codes, after="set_up")
    except InvitationOver:
        return make_response(render_template("desk/staff/invitation_over.html"), HTTPStatus.GONE)
    enrolment = offer_enrolment(account.name, inviting.whose(token), form.sealed.data)
    page = render_template("desk/staff/invitation.html", form=form, account=account, enrolment=enrolment, token=token)
    return make_response(page, _status(form))


def _accept(token: str, form: SetUpForm) -> list[str]:
    return accept(token=token, password=form.password.data, sealed=form.sealed.data, code=form.code.data)


@desk_route(blueprint, "/me", role=Role.WRITER)
def me() -> ResponseReturnValue:
    """One's own account."""
    return _my_page(PasswordForm())


def _my_page(form: PasswordForm) -> Response:
    page = render_template(
        "desk/staff/me.html",
        form=form,
        mine=my_account(my_row()),
        here=current_user.session.id,
        fresh=_has_fresh_code(),
    )
    return make_response(page, _status(form))


@desk_route(blueprint, "/me/password", role=Role.WRITER, methods=("POST",), fresh=True)
def change_password() -> ResponseReturnValue:
    """Change one's password."""
    form = PasswordForm(request.form)
    if not (form.validate() and _tried(form, lambda: _change_password(form))):
        return _my_page(form)
    flash(_("Your password is changed. Other browsers have been signed out."))
    return _see(url_for("staff.me"))


def _change_password(form: PasswordForm) -> bool:
    securing.change_password(
        present=form.present.data,
        new=form.password.data,
        session_id=current_user.session.id,
        device=device_token(),
        by=actor(),
    )
    return True


@desk_route(blueprint, "/me/second-factor", role=Role.WRITER)
def second_factor() -> ResponseReturnValue:
    """Show a new second factor to take."""
    return _second_factor_page(SecondFactorForm())


@desk_route(blueprint, "/me/second-factor/replace", role=Role.WRITER, methods=("POST",), fresh=True)
def replace_second_factor() -> ResponseReturnValue:
    """Take the new second factor, and show new recovery codes once."""
    form = SecondFactorForm(request.form)
    codes = _tried(form, lambda: _replace_second_factor(form)) if form.validate() else None
    if not codes:
        return _second_factor_page(form)
    return render_template("desk/staff/recovery_codes.html", codes=codes, after="second_factor")


def _replace_second_factor(form: SecondFactorForm) -> list[str]:
    return securing.replace_second_factor(
        sealed=form.sealed.data,
        code=form.code.data,
        session_id=current_user.session.id,
        device=device_token(),
        by=actor(),
    )


def _second_factor_page(form: SecondFactorForm) -> Response:
    enrolment = offer_enrolment(my_row().name, securing.whose(actor()), form.sealed.data)
    page = render_template("desk/staff/second_factor.html", form=form, enrolment=enrolment, fresh=_has_fresh_code())
    return make_response(page, _status(form))


@desk_route(blueprint, "/me/recovery-codes", role=Role.WRITER, methods=("POST",), fresh=True)
def renew_recovery_codes() -> ResponseReturnValue:
    """Replace one's recovery codes, and show the new ones once."""
    codes = securing.renew_recovery_codes(by=actor())
    return render_template("desk/staff/recovery_codes.html", codes=codes, after="renewed")


@desk_route(blueprint, "/me/sessions", role=Role.WRITER, methods=("POST",))
def sign_out_others() -> ResponseReturnValue:
    """End one's sessions in other browsers."""
    ended = securing.sign_out_others(session_id=current_user.session.id, by=actor())
    flash(ngettext("%(num)d other browser was signed out.", "%(num)d other browsers were signed out.", ended))
    return _see(url_for("staff.me"))


def _has_fresh_code() -> bool:
    return bool(current_user.session.has_fresh_code(utc_now()))


def _tried(form: Form, verb: Any) -> Any:
    """Return what `verb` gives, or None with the words of its refusal at the field they are about."""
    try:
        return verb()
    except BadPassword as problem:
        form.password.errors = [problem.why]
    except WrongPassword:
        form.present.errors = [_("This is not your present password")]
    except WrongCode:
        form.code.errors = [_("That code does not match the picture and key shown here: take the app’s present one")]
    return None


def _status(form: Form) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
