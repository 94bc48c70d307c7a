"""Joining the network: the form, the mail that asks, confirming; the form after an action; leaving."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from wfr.cases.models import Case, Kind
from wfr.cases.queries import shelf
from wfr.cases.views import visible_case
from wfr.drives.views import not_mailed
from wfr.errors import AWAY, RETRY_AFTER_SECONDS, NoSuchThing
from wfr.extensions import limit_of, settings
from wfr.mail import NotSent
from wfr.network.forms import AfterForm, JoinForm
from wfr.network.joining import Joining, confirm, join
from wfr.network.leaving import leave
from wfr.network.links import LinkFor, link_token
from wfr.network.member_queries import languages_offered, masked, member_by_link
from wfr.network.models import Frequency
from wfr.network.reminding import remind_later
from wfr.pages import language, private, public
from wfr.security import from_anywhere

blueprint = Blueprint("network", __name__)
blueprint.add_app_template_global(AfterForm, "after_form")

ON_PAPER = (Kind.LETTER, Kind.SOLIDARITY)


@blueprint.errorhandler(NoSuchThing)
def unknown_link(_error: NoSuchThing) -> ResponseReturnValue:
    """Say what to do about a personal link that leads nowhere: cut short, replaced, too old, or never ours."""
    return render_template("network/link_unknown.html"), HTTPStatus.NOT_FOUND, {"Cache-Control": "no-store"}


@blueprint.get("/network")
@public
def network() -> ResponseReturnValue:
    """What the network is, and the form that joins it; the same for everybody."""
    return _join_page(JoinForm(None, languages=languages_offered(), language=language(), frequency=Frequency.EVERY))


@blueprint.post("/network")
@private
@limit_of("limit_members")
def send_join() -> ResponseReturnValue:
    """Mail the link that confirms; the answer is the same whether the address is known or not."""
    form = JoinForm(request.form, languages=languages_offered())
    if not form.validate():
        return _join_page(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        join(Joining(form.email.data, form.wishes()))
    except (NotSent, *AWAY) as problem:
        return _join_page(form, *not_mailed(problem))
    return redirect(url_for(".check_mail"), HTTPStatus.SEE_OTHER)


@blueprint.get("/network/check-your-mail")
@public
def check_mail() -> ResponseReturnValue:
    """What to do now that a mail is on its way, or will be; the same for everybody who asked for the same."""
    laid_in_folder = shelf().demonstration and not settings().mail_url
    asked = request.args.get("asked")
    return render_template("network/check_mail.html", laid_in_folder=laid_in_folder, asked=asked)


@blueprint.post("/network/after/<slug>/<any(letter, email, post, solidarity):kind>")
@private
@limit_of("limit_members")
def send_after(slug: str, kind: str) -> ResponseReturnValue:
    """Do what somebody who has just acted asks for: follow, join, be asked once whether the letter went."""
    case = visible_case(slug)
    form = AfterForm(request.form, paper=Kind(kind) in ON_PAPER)
    if not form.validate():
        return _after_page(form, case, kind, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    mailed = form.follow.data or form.join.data
    days = form.remind_in()
    try:
        if days is not None:
            remind_later(email=form.email.data, language=language(), days=days)
        if mailed:
            join(Joining(form.email.data, form.wishes(), case.id if form.follow.data else None))
    except (NotSent, *AWAY) as problem:
        return _after_page(form, case, kind, *not_mailed(problem))
    asked = None if days is None else "both" if mailed else "reminder"
    return redirect(url_for(".check_mail", asked=asked), HTTPStatus.SEE_OTHER)


@blueprint.get("/network/confirm/<token>")
@private
def ask_confirm(token: str) -> ResponseReturnValue:
    """Ask whether to confirm; mail programs that open links by themselves confirm nothing."""
    member, case = member_by_link(token, LinkFor.CONFIRM)
    return render_template("network/confirm.html", member=member, address=masked(member), followed=case, token=token)


@blueprint.post("/network/confirm/<token>")
@private
def send_confirm(token: str) -> ResponseReturnValue:
    """Confirm, and lead to the member's own page."""
    member = confirm(token=token)
    return redirect(url_for(".me", token=link_token(member, LinkFor.ME)), HTTPStatus.SEE_OTHER)


@blueprint.get("/network/leave/<token>")
@private
def ask_leave(token: str) -> ResponseReturnValue:
    """Ask whether to leave, whoever asks: nothing is looked up."""
    return render_template("network/leave.html", token=token)


@blueprint.post("/network/leave/<token>")
@from_anywhere
@private
def send_leave(token: str) -> ResponseReturnValue:
    """Leave at once, also by the one click of a mail program (RFC 8058): it sends no cookie and follows no redirect.

    A link that leads nowhere, or whose member has left, is answered with the same page, whose words hold for all.
    """
    leave(token)
    return render_template("network/left.html")


def _join_page(form: JoinForm, notice: str | None = None, status: int = HTTPStatus.OK) -> Response:
    return _answer(render_template("network/join.html", form=form, notice=notice), status)


def _after_page(
    form: AfterForm, case: Case, kind: str, notice: str | None = None, status: int = HTTPStatus.OK
) -> Response:
    return _answer(render_template("network/after.html", form=form, case=case, kind=kind, notice=notice), status)


def _answer(page: str, status: int) -> Response:
    response = Response(page, status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
