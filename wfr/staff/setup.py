"""Binds the desk's accounts to an app: sessions, CSRF tokens, the policy of every route, and its refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import Flask, Request, Response, current_app, make_response, render_template, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_babel import lazy_gettext as _l
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFError

from wfr.config import Settings
from wfr.errors import DATABASE_AWAY, NotAllowed, Refused
from wfr.staff.models import LONGEST, Account, Role
from wfr.staff.places import Place, add_place, places_for
from wfr.staff.policy import PREFIX, audit_refusal, csrf, refuse_without_policy
from wfr.staff.sessions import find_session


class DeskOnly(SecureCookieSessionInterface):
    """Sessions exist below `/desk` alone: no public page can read or set a cookie, whatever its code does."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open the desk's session, or none."""
        return super().open_session(app, request) if request.path.startswith(PREFIX) else None


def init_app(app: Flask, settings: Settings) -> None:
    """Give `app` its desk's sessions and policies."""
    secure = settings.secure_cookies
    app.config.update(
        # The prefix makes the browser insist on Secure, on this host alone and on the whole path.
        SESSION_COOKIE_NAME="__Host-desk" if secure else "desk",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=LONGEST,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=int(LONGEST.total_seconds()),
    )
    app.session_interface = DeskOnly()
    # Without flask-login's own context processor: it would open the session on every public page.
    login = LoginManager(app, add_context_processor=False)
    login.session_protection = None
    login.user_loader(find_session)
    csrf.init_app(app)
    app.before_request(refuse_without_policy)
    app.register_error_handler(NotAllowed, not_allowed)
    app.register_error_handler(Refused, refused)
    app.register_error_handler(CSRFError, stale)
    add_place(app, Place("accounts.index", _l("Accounts"), Role.COORDINATOR, order=80))
    add_place(app, Place("audit.trail", _l("Audit trail"), Role.COORDINATOR, order=90))
    app.jinja_env.globals["Role"] = Role
    app.jinja_env.globals["desk_places"] = links
    app.jinja_env.filters["moment"] = moment
    app.context_processor(account_for_templates)


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the navigation as a page shows it."""

    url: str
    label: str
    here: bool


def links() -> list[Link]:
    """Return the navigation of whom is signed in."""
    return [
        Link(url_for(place.endpoint), str(place.label), request.endpoint == place.endpoint)
        for place in places_for(current_app, current_user.account)
    ]


def account_for_templates() -> dict[str, Account | None]:
    """Give desk pages whom is signed in; public pages must not even open the session."""
    if not request.path.startswith(PREFIX):
        return {}
    try:
        return {"desk_account": current_user.account if current_user.is_authenticated else None}
    except DATABASE_AWAY:
        # The page that says so must not fail over it.
        return {"desk_account": None}


def moment(value: datetime | None) -> str:
    """Return a moment as the desk writes it: ``21 Nov 2026, 10:15`` in UTC."""
    return f"{value:%d %b %Y, %H:%M}".lstrip("0") if value else ""


def not_allowed(error: NotAllowed) -> Response:
    """Answer 403 and remember who wanted to do what."""
    audit_refusal()
    return _page("desk/not_allowed.html", HTTPStatus.FORBIDDEN, error)


def refused(error: Refused) -> Response:
    """Answer 409: as things stand this cannot be done, and why."""
    return _page("desk/refused.html", HTTPStatus.CONFLICT, error)


def stale(_error: CSRFError) -> Response:
    """Answer 400: the form carries no token of this browser's session, mostly because it was open for too long."""
    return _page("desk/staff/stale.html", HTTPStatus.BAD_REQUEST)


def _page(template: str, status: int, error: NotAllowed | Refused | None = None) -> Response:
    response = make_response(render_template(template, why=error.why if error else None), status)
    response.headers["Cache-Control"] = "no-store"
    return response
