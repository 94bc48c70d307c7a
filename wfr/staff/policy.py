"""Each desk route states who may use it, where it is defined; a desk route that states nothing is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

from wfr.errors import NotAllowed
from wfr.extensions import utc_now
from wfr.pages import private
from wfr.staff.auditing import record_refusal
from wfr.staff.models import Account, Actor, Role
from wfr.staff.signing_in import confirm_code

PREFIX = "/desk"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CODE_FIELD = "fresh_code"
# Passwords are typed again rather than written into a page.
NOT_SENT_BACK = frozenset({CODE_FIELD, "csrf_token", "present", "password", "again"})

View = Callable[..., ResponseReturnValue]

csrf = CSRFProtect()


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may use a route: anyone (`role` is None) or a role; `fresh` asks for a code of the last five minutes.

    `largest` is the largest body in bytes, where files are taken that are larger than any form.
    """

    role: Role | None
    fresh: bool = False
    largest: int | None = None


def desk_route(
    blueprint: Blueprint,
    rule: str,
    *,
    role: Role | None,
    methods: tuple[str, ...] = ("GET",),
    fresh: bool = False,
    largest: int | None = None,
) -> Callable[[View], View]:
    """Register a view below `/desk` with its policy. `role=None` is for the pages before one has signed in.

    The answer is never kept. A method that changes something needs a CSRF token, and, where `fresh`, a code not older
    than five minutes: whoever has none is asked for it, and then the same form is sent again.
    """

    def register(view: View) -> View:
        @wraps(view)
        @private
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            refusal = _refusal(Policy(role, fresh, largest))
            return view(*args, **kwargs) if refusal is None else refusal

        guarded.desk_policy = Policy(role, fresh, largest)  # type: ignore[attr-defined]
        blueprint.add_url_rule(f"{PREFIX}{rule}", view_func=guarded, methods=list(methods))
        return guarded

    return register


def policy_of(view: Any) -> Policy | None:
    """Return what the view of a route states about who may use it, or None when it states nothing."""
    policy: Policy | None = getattr(view, "desk_policy", None)
    return policy


def actor() -> Actor:
    """Return who is signed in, as the verbs and the audit trail want it."""
    return Actor(current_user.account.id)


def me() -> Account:
    """Return the account that is signed in."""
    account: Account = current_user.account
    return account


def refuse_without_policy() -> None:
    """Before each request: refuse what lies below `/desk` and states no policy."""
    if not request.path.startswith(PREFIX) or request.endpoint is None:
        return
    if policy_of(current_app.view_functions[request.endpoint]) is None:
        raise NotAllowed(_("Nobody may use this page: it does not say who may."))


def _refusal(policy: Policy) -> ResponseReturnValue | None:
    if policy.role is not None:
        if not current_user.is_authenticated:
            return _to_sign_in()
        if not current_user.account.may(policy.role):
            raise NotAllowed(_("This needs another role than yours."))
    if request.method in SAFE:
        return None
    if policy.largest:
        # Only now: whoever may not be here shall not send us megabytes, and the token below is read from the form.
        request.max_content_length = policy.largest
    csrf.protect()
    if policy.fresh and not current_user.session.has_fresh_code(utc_now()):
        return _ask_for_code()
    return None


def _to_sign_in() -> ResponseReturnValue:
    if request.headers.get("HX-Request"):
        # A part of a page asks: what is typed on it must not be lost to a redirect.
        return Response(status=HTTPStatus.UNAUTHORIZED)
    wanted = request.full_path.rstrip("?") if request.method in SAFE else None
    return redirect(url_for("staff.sign_in", next=wanted), HTTPStatus.SEE_OTHER)


def _ask_for_code() -> ResponseReturnValue | None:
    """Take the code that came along, or show the page that asks for one and sends the same form again."""
    code = request.form.get(CODE_FIELD, "")
    wrong = False
    if code:
        if confirm_code(session_id=current_user.session.id, code=code):
            return None
        wrong = True
    if request.files:
        flash(_("Give a code from your app first, then choose the file again."), "warn")
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in NOT_SENT_BACK]
    page = render_template("desk/code.html", fields=fields, wrong=wrong, code_field=CODE_FIELD)
    return make_response(page, HTTPStatus.FORBIDDEN)


def audit_refusal() -> None:
    """Remember a refusal: who wanted to do what, where."""
    if current_user and current_user.is_authenticated:
        record_refusal(actor(), "desk.refused", f"page:{request.endpoint}"[:80], after={"method": request.method})
