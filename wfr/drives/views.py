"""The pages of teachers before a drive runs: what schools can do, starting a drive, confirming it, finding its link."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.models import Case, Season, SeasonState
from wfr.cases.queries import shelf, today
from wfr.drives.forms import LinksForm, StartForm
from wfr.drives.links import LinkFor, link_token
from wfr.drives.mailing import EnoughMail, mail_confirmation, mail_links
from wfr.drives.models import Drive
from wfr.drives.queries import SchoolTotals, school_totals
from wfr.drives.starting import LONGEST_DRIVE, StartedAlready, confirm_drive, start_drive, take_back, unconfirmed
from wfr.errors import AWAY, RETRY_AFTER_SECONDS, NoSuchThing, NotPossibleNow, Refused
from wfr.extensions import limit_of, settings
from wfr.mail import NotSent
from wfr.pages import private, public
from wfr.pledges.answering import admission
from wfr.pledges.tickets import BadTicket, Ticket

blueprint = Blueprint("drives", __name__)

A_CLASS = 30


@blueprint.errorhandler(NoSuchThing)
def unknown_link(_error: NoSuchThing) -> ResponseReturnValue:
    """Say what to do about a private link that leads nowhere: cut short, replaced, too old, or never ours."""
    return render_template("drives/link_unknown.html"), HTTPStatus.NOT_FOUND, {"Cache-Control": "no-store"}


@blueprint.errorhandler(Refused)
def refused(problem: Refused) -> ResponseReturnValue:
    """Say why something cannot be done with a drive as things stand, and lead back to it."""
    token = (request.view_args or {}).get("token")
    page = render_template("drives/manage_refused.html", why=problem.why, token=token)
    return page, HTTPStatus.CONFLICT, {"Cache-Control": "no-store"}


@blueprint.get("/schools")
@public
def schools() -> ResponseReturnValue:
    """The three ways for schools: the pack, a drive, a code."""
    return render_template("drives/schools.html", totals=school_totals_now())


def school_totals_now() -> SchoolTotals | None:
    """Return what schools did in the season that visitors see, or None where there is no season."""
    season = shelf().season
    return school_totals(season) if season else None


@blueprint.get("/schools/start")
@private
def start() -> ResponseReturnValue:
    """The form that starts a drive."""
    season, cases = _startable()
    first = max(today(), season.opens)
    last = min(season.closes, first + LONGEST_DRIVE)
    form = StartForm(None, season=season, offered=cases, starts=first, ends=last, hoped=A_CLASS)
    return _start_page(form, cases)


@blueprint.post("/schools/start")
@private
@limit_of("limit_starts")
def send_start() -> ResponseReturnValue:
    """Store a drive and mail the link that confirms it. Sent twice, it is one drive and one mail."""
    season, cases = _startable()
    form = StartForm(request.form, season=season, offered=cases)
    ticket = _good_ticket(form.ticket.data)
    expired = ticket is None
    if not form.validate() or ticket is None:
        return _start_page(form, cases, _fresh_words() if expired else None, HTTPStatus.UNPROCESSABLE_ENTITY)
    # Of its words too: who goes back to mend the address starts another drive, a second click does not.
    own = admission().tickets.derived(ticket, repr(form.new_drive()))
    try:
        drive = start_drive(season_slug=season.slug, new=form.new_drive(), ticket=own.id)
        _mail_or_take_back(drive)
    except StartedAlready:
        pass
    except Refused as problem:
        return _start_page(form, cases, problem.why, HTTPStatus.UNPROCESSABLE_ENTITY)
    except (EnoughMail, NotSent, *AWAY) as problem:
        return _start_page(form, cases, *not_mailed(problem))
    return redirect(url_for(".check_mail"), HTTPStatus.SEE_OTHER)


@blueprint.get("/schools/check-your-mail")
@public
def check_mail() -> ResponseReturnValue:
    """What to do now that a mail is on its way; the same for everybody."""
    laid_in_folder = shelf().demonstration and not settings().mail_url
    return render_template("drives/check_mail.html", laid_in_folder=laid_in_folder)


@blueprint.get("/schools/confirm/<token>")
@private
def confirm(token: str) -> ResponseReturnValue:
    """Ask whether to confirm; mail programs that open links by themselves confirm nothing."""
    drive = unconfirmed(token)
    return render_template("drives/confirm.html", drive=drive, token=token)


@blueprint.post("/schools/confirm/<token>")
@private
def send_confirm(token: str) -> ResponseReturnValue:
    """Confirm a drive, and mail the link that its teacher will need for weeks."""
    is_new = unconfirmed(token).confirmed_at is None
    drive = confirm_drive(token=token)
    return to_manage(drive, mailed=not is_new or links_left(drive))


@blueprint.get("/schools/links")
@public
def links() -> ResponseReturnValue:
    """The form of "send me my link again"."""
    return _links_page(LinksForm())


@blueprint.post("/schools/links")
@private
@limit_of("limit_starts")
def send_links() -> ResponseReturnValue:
    """Mail somebody's links; the answer is the same whether there are any or not."""
    form = LinksForm(request.form)
    if not form.validate():
        return _links_page(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        mail_links(form.email.data)
    except (EnoughMail, NotSent, *AWAY) as problem:
        return _links_page(form, *not_mailed(problem))
    return redirect(url_for(".check_mail"), HTTPStatus.SEE_OTHER)


def to_manage(drive: Drive, *, mailed: bool = True) -> ResponseReturnValue:
    """Lead to a drive's private page, and say there when its link could not be mailed."""
    note = None if mailed else "not-mailed"
    return redirect(url_for(".manage", token=link_token(drive, LinkFor.MANAGE), note=note), HTTPStatus.SEE_OTHER)


def links_left(drive: Drive) -> bool:
    """Mail a drive's links to its teacher; say whether the mail left."""
    try:
        mail_links(drive.email or "")
    except (EnoughMail, NotSent):
        return False
    return True


def not_mailed(problem: Exception) -> tuple[str, int]:
    """Return the words and the status for when no mail left and what was typed is shown again."""
    if isinstance(problem, EnoughMail):
        words = _(
            "We have written to this address several times in the last hour. Please look there, also among the spam."
        )
        return words, HTTPStatus.TOO_MANY_REQUESTS
    if isinstance(problem, NotSent):
        return _(
            "Our mail could not leave just now. What you typed is still here: please send it again in a few minutes."
        ), (HTTPStatus.SERVICE_UNAVAILABLE)
    return _(
        "Our database is out of reach for a moment. What you typed is still here: please send it again in a minute."
    ), (HTTPStatus.SERVICE_UNAVAILABLE)


def _startable() -> tuple[Season, Sequence[Case]]:
    """Return the season and the cases that a drive can be started for; raises `NotPossibleNow`."""
    seen = shelf()
    if seen.season is None:
        raise NotPossibleNow("closed")
    state = seen.season.state(today())
    if state is not SeasonState.OPEN:
        raise NotPossibleNow(state.value)
    cases = seen.for_schools(today())
    if not cases:
        raise NotPossibleNow("not_offered", {"why_not": _("There is no case that classes can write for just now.")})
    return seen.season, cases


def _mail_or_take_back(drive: Drive) -> None:
    try:
        mail_confirmation(drive)
    except (EnoughMail, NotSent):
        take_back(drive)
        raise


def _good_ticket(text: str | None) -> Ticket | None:
    try:
        ticket = admission().tickets.read(text or "")
    except BadTicket:
        return None
    return ticket if ticket.age_seconds < admission().max_age_seconds else None


def _fresh_words() -> str:
    return str(_("This form had expired. Here is a fresh one with your words kept: please send it again."))


def _start_page(
    form: StartForm, cases: Sequence[Case], notice: Any = None, status: int = HTTPStatus.OK
) -> ResponseReturnValue:
    form.ticket.data = (_good_ticket(form.ticket.data) or admission().tickets.issue()).text
    return _answer(render_template("drives/start.html", form=form, cases=cases, notice=notice), status)


def _links_page(form: LinksForm, notice: str | None = None, status: int = HTTPStatus.OK) -> ResponseReturnValue:
    return _answer(render_template("drives/links.html", form=form, notice=notice), status)


def _answer(page: str, status: int) -> Response:
    response = Response(page, status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
