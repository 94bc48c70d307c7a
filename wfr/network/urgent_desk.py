"""The desk's pages of Urgent Actions: beginning one, its next issue, issuing it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.desk_queries import names_of_accounts
from wfr.cases.queries import today
from wfr.errors import Refused
from wfr.network import issuing
from wfr.network.urgent_desk_queries import chain_at_desk, urgent_actions_at_desk
from wfr.network.urgent_forms import OUTCOME, IssueForm, NewUrgentForm
from wfr.network.urgent_queries import next_number
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route, me

blueprint = Blueprint("urgent_actions", __name__)


@desk_route(blueprint, "/urgent-actions", role=Role.WRITER)
def index() -> ResponseReturnValue:
    """Every Urgent Action: what is being written, what is open, what has ended; and a form that begins another."""
    return _list_page(NewUrgentForm(data={"language": "en", "number": next_number(today().year)}))


@desk_route(blueprint, "/urgent-actions", role=Role.WRITER, methods=("POST",))
def begin() -> ResponseReturnValue:
    """Begin a case without a season, and its First UA."""
    form = NewUrgentForm(request.form)
    if form.validate():
        try:
            slug = issuing.begin_urgent_action(by=actor(), new=form.asked())
        except Refused as problem:
            form.slug.errors = [str(problem.why)]
        else:
            flash(_("Begun. Its words are a case’s words: write them here, and hand them to review."))
            return redirect(url_for("curating.edit", slug=slug), HTTPStatus.SEE_OTHER)
    return _list_page(form), HTTPStatus.UNPROCESSABLE_ENTITY


@desk_route(blueprint, "/urgent-actions/<slug>", role=Role.WRITER)
def chain(slug: str) -> ResponseReturnValue:
    """One Urgent Action: its issues, and the draft of the next one."""
    return _chain_page(slug)


@desk_route(blueprint, "/urgent-actions/<slug>/issues", role=Role.WRITER, methods=("POST",))
def begin_issue(slug: str) -> ResponseReturnValue:
    """Begin an update, or the notice that no further action is requested."""
    issuing.begin_issue(by=actor(), slug=slug, outcome=request.form.get("sort") == OUTCOME)
    return _back(slug, _("Begun, as a draft."))


@desk_route(blueprint, "/urgent-actions/<slug>/issues/<int:ordinal>", role=Role.WRITER, methods=("POST",))
def save(slug: str, ordinal: int) -> ResponseReturnValue:
    """Save what a draft says of itself."""
    form = IssueForm(request.form)
    if form.validate():
        try:
            issuing.change_issue(by=actor(), slug=slug, ordinal=ordinal, plan=form.plan())
        except Refused as problem:
            form.index_number.errors = [str(problem.why)]
        else:
            return _back(slug, _("Saved. Somebody else issues it."))
    return _chain_page(slug, form), HTTPStatus.UNPROCESSABLE_ENTITY


@desk_route(
    blueprint, "/urgent-actions/<slug>/issues/<int:ordinal>/issue", role=Role.REVIEWER, methods=("POST",), fresh=True
)
def issue(slug: str, ordinal: int) -> ResponseReturnValue:
    """Issue what somebody else prepared; its mailing waits for approval then."""
    issuing.issue(by=actor(), slug=slug, ordinal=ordinal, seen=request.form.get("seen", ""))
    return _back(slug, _("Issued. Its mailing waits to be approved and sent."))


def _list_page(form: NewUrgentForm) -> str:
    return render_template("desk/network/urgent_actions.html", found=urgent_actions_at_desk(), form=form)


def _chain_page(slug: str, form: IssueForm | None = None) -> str:
    found = chain_at_desk(slug)
    draft = found.draft
    return render_template(
        "desk/network/urgent_action.html",
        found=found,
        case=found.case,
        form=form or (IssueForm.of(found.action, draft) if draft else None),
        names=names_of_accounts(),
        mine=me().id in found.editors,
    )


def _back(slug: str, words: str) -> ResponseReturnValue:
    flash(words)
    return redirect(url_for("urgent_actions.chain", slug=slug), HTTPStatus.SEE_OTHER)
