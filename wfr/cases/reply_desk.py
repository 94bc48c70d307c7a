"""The desk's log of replies from officials."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.desk_queries import case_at_desk, names_of_accounts
from wfr.cases.queries import replies_to
from wfr.cases.replies import Received, log_reply
from wfr.cases.season_forms import ReplyForm
from wfr.errors import Refused
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route

blueprint = Blueprint("replies", __name__)


@desk_route(blueprint, "/cases/<slug>/replies", role=Role.WRITER)
def index(slug: str) -> ResponseReturnValue:
    """The replies to letters about a case, the newest first, and the form for another."""
    return _page(slug, ReplyForm())


@desk_route(blueprint, "/cases/<slug>/replies", role=Role.WRITER, methods=("POST",))
def log(slug: str) -> ResponseReturnValue:
    """Log a reply."""
    form = ReplyForm(request.form)
    if form.validate():
        data = form.data
        try:
            log_reply(by=actor(), slug=slug, reply=Received(data["dated"], data["sender"], data["summary"]))
        except Refused as problem:
            form.dated.errors = [str(problem.why)]
        else:
            flash(_("Logged."))
            return redirect(url_for("replies.index", slug=slug), HTTPStatus.SEE_OTHER)
    return _page(slug, form), HTTPStatus.UNPROCESSABLE_ENTITY


def _page(slug: str, form: ReplyForm) -> str:
    case = case_at_desk(slug).case
    return render_template(
        "desk/replies/index.html", case=case, replies=replies_to(case), form=form, names=names_of_accounts()
    )
