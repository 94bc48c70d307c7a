"""The outbox: mail that was laid in a folder because no mail server is set, readable by the desk."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from wfr.errors import NoSuchThing
from wfr.extensions import settings
from wfr.network.outbox_queries import outbox_file, outbox_mail, outbox_page
from wfr.security import content_policy
from wfr.staff.models import Role
from wfr.staff.policy import desk_route

SHUT_IN = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""The policy of a mail's HTML: it may set its own look, and nothing else."""

blueprint = Blueprint("outbox", __name__)


@desk_route(blueprint, "/outbox", role=Role.COORDINATOR)
def index() -> ResponseReturnValue:
    """The mails in the folder, the newest first."""
    page = outbox_page(request.args.get("before"))
    return render_template("desk/network/outbox.html", page=page, leaves=bool(settings().mail_url))


@desk_route(blueprint, "/outbox/<name>", role=Role.COORDINATOR)
def mail(name: str) -> ResponseReturnValue:
    """One mail: its headers, its text, its HTML in a frame that may do nothing."""
    found = outbox_mail(name)
    response = make_response(
        render_template("desk/network/outbox_mail.html", mail=found, leaves=bool(settings().mail_url))
    )
    response.headers["Content-Security-Policy"] = f"{content_policy(settings())}; frame-src 'self'"
    return response


@desk_route(blueprint, "/outbox/<name>/html", role=Role.COORDINATOR)
def html(name: str) -> ResponseReturnValue:
    """The HTML of one mail, as mail programs show it, for the frame."""
    words = outbox_mail(name).html
    if words is None:
        raise NoSuchThing("mail")
    response = Response(words, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = SHUT_IN
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@desk_route(blueprint, "/outbox/<name>/file", role=Role.COORDINATOR)
def file(name: str) -> ResponseReturnValue:
    """One mail as a file that mail programs open."""
    disposition = f'attachment; filename="{name}"'
    return Response(outbox_file(name), content_type="message/rfc822", headers={"Content-Disposition": disposition})
