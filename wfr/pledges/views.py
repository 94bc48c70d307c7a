"""Acting on a case: the writing table, the thank-you page, "I've posted it"."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import escape
from wtforms.fields.choices import SelectChoice

from wfr import telemetry
from wfr.cases.models import Case, Kind
from wfr.cases.queries import shelf, today
from wfr.cases.views import open_case, visible_case
from wfr.errors import AWAY, NotPossibleNow
from wfr.extensions import AnySession, kept, limit_of, settings
from wfr.pages import PROCESS_SECONDS, language, private, wants_fragment
from wfr.pledges.admitting import Refused
from wfr.pledges.answering import admission, away, challenge_for, fresh, why_again
from wfr.pledges.forms import FORMS, AlreadyForm, PromiseForm, SeveralForm
from wfr.pledges.models import Pledge, PledgeState
from wfr.pledges.origins import read_origin
from wfr.pledges.pledging import Promise, find_pledge, mark_taken, pledge, withdraw
from wfr.pledges.showing import message_parts, sending_parts, thanks_parts
from wfr.pledges.tickets import BadTicket, Ticket

blueprint = Blueprint("pledges", __name__)

KINDS = "any(letter, email, post, solidarity)"

# The writing table and the thank-you page are rendered once a second; what is a visitor's own is put into them.
TICKET_MARK = "ticket-goes-here"
CHALLENGE_MARK = "challenge-goes-here"
VIA_MARK = "via-goes-here"
SHARE_MARK = "share-goes-here"
SEND_MARK = "send-goes-here"
COUNTRY_MARK = "country-goes-here"


@blueprint.get(f"/cases/<slug>/<{KINDS}:kind>")
@private
def write(slug: str, kind: str) -> ResponseReturnValue:
    """The writing table, with a fresh ticket."""
    case = open_case(slug, Kind(kind))
    origin = read_origin(request.args.get("via"))

    def blank() -> str:
        form = FORMS[Kind(kind)](data={"ticket": TICKET_MARK, "via": VIA_MARK if origin else None})
        return _writing_table(case, Kind(kind), form, challenge=CHALLENGE_MARK)

    name = f"write {slug} {kind} {language()}{' via' if origin else ''}"
    page = _with_ticket(kept().get(name, PROCESS_SECONDS, blank))
    return page.replace(VIA_MARK, origin.text) if origin else page


@blueprint.post(f"/cases/<slug>/<{KINDS}:kind>")
@private
def make_pledge(slug: str, kind: str) -> ResponseReturnValue:
    """Record the promise and answer with the thank-you page, which alone carries the visitor's own lines on."""
    case = open_case(slug, Kind(kind))
    form = FORMS[Kind(kind)](request.form)

    def again(status: int, notice: str | None = None) -> ResponseReturnValue:
        return fresh(form, lambda challenge: _writing_table(case, Kind(kind), form, challenge, notice), status)

    if not form.validate():
        return again(HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        ticket = _admit(form)
        pledge([_promise(ticket, case, Kind(kind), form)], _recorder(form))
        telemetry.count("pledge", kind)
    except Refused as refusal:
        return again(*why_again(refusal))
    except AWAY:
        return again(*away())
    send = render_template("pledges/_send.html", **sending_parts(case, Kind(kind), form, ticket.text))
    return _thanks(case, Kind(kind), ticket, form.country.data, send)


@blueprint.post(f"/cases/<slug>/<{KINDS}:kind>/preview")
@private
@limit_of("limit_previews")
def preview(slug: str, kind: str) -> ResponseReturnValue:
    """The message as it will be sent: to htmx the sheet alone, to a browser without it the whole table again."""
    case = open_case(slug, Kind(kind))
    form = FORMS[Kind(kind)](request.form)
    if wants_fragment():
        # Errors wait for the visitor to finish; what cannot be printed is simply not shown yet.
        return render_template("pledges/_preview.html", **message_parts(case, Kind(kind), form))
    return fresh(form, lambda challenge: _writing_table(case, Kind(kind), form, challenge), HTTPStatus.OK)


@blueprint.get("/cases/<slug>/already")
@private
def already(slug: str) -> ResponseReturnValue:
    """Show the form of "I've already written"."""
    case = open_case(slug)
    form = _already_form(case)
    origin = read_origin(request.args.get("via"))
    form.via.data = origin.text if origin else None
    return fresh(form, lambda challenge: _already_page(case, form, challenge), HTTPStatus.OK)


@blueprint.post("/cases/<slug>/already")
@private
def make_already(slug: str) -> ResponseReturnValue:
    """Count an action that is done already."""
    case = open_case(slug)
    form = _already_form(case)

    def again(status: int, notice: str | None = None) -> ResponseReturnValue:
        return fresh(form, lambda challenge: _already_page(case, form, challenge, notice), status)

    if not form.validate():
        return again(HTTPStatus.UNPROCESSABLE_ENTITY)
    kind = Kind(form.kind.data)
    try:
        ticket = _admit(form)
        pledge([_promise(ticket, case, kind, form, taken=True)], _recorder(form))
        telemetry.count("already", kind.value)
    except Refused as refusal:
        return again(*why_again(refusal))
    except AWAY:
        return again(*away())
    return _thanks(case, kind, ticket, form.country.data)


@blueprint.get("/several")
@private
def several() -> ResponseReturnValue:
    """Ten letters in December: the form."""
    form = _several_form()
    return fresh(form, lambda challenge: _several_page(form, challenge), HTTPStatus.OK)


@blueprint.post("/several")
@private
def make_several() -> ResponseReturnValue:
    """Ten letters in December: one pledge for each ticked case, all or none."""
    form = _several_form()

    def again(status: int, notice: str | None = None) -> ResponseReturnValue:
        return fresh(form, lambda challenge: _several_page(form, challenge, notice), status)

    if not form.validate():
        return again(HTTPStatus.UNPROCESSABLE_ENTITY)
    chosen = [open_case(slug, Kind.LETTER) for slug in dict.fromkeys(form.cases.data)]
    try:
        ticket = _admit(form, [case.slug for case in chosen])
        tickets = [admission().tickets.derived(ticket, case.slug) for case in chosen]
        pledge([_promise(each, case, Kind.LETTER, form) for each, case in zip(tickets, chosen, strict=True)])
    except Refused as refusal:
        return again(*why_again(refusal))
    except AWAY:
        return again(*away())
    pledges = [{"case": case, "ticket": each.text} for each, case in zip(tickets, chosen, strict=True)]
    return render_template(
        "pledges/several_thanks.html", pledges=pledges, form=form, pledged_on=today(), kind=Kind.LETTER.value
    )


@blueprint.get("/posted/<ticket>")
@private
def posted(ticket: str) -> ResponseReturnValue:
    """Where the slip's QR code leads: it only asks; nothing is recorded by opening a link."""
    found = _pledge_of(ticket)
    if found is None:
        return render_template("pledges/posted.html", pledge=None, case=None, ticket="", state="unknown"), 404
    return render_template(
        "pledges/posted.html",
        pledge=found,
        case=_case_of(found),
        ticket=ticket,
        state=found.state,
        kind=found.kind,
    )


@blueprint.post("/posted")
@private
@limit_of("limit_reports")
def mark_posted() -> ResponseReturnValue:
    """Note that it is posted, or take the pledge back."""
    text = request.form.get("ticket", "")
    found = _pledge_of(text)
    if found is None:
        return render_template("pledges/posted.html", pledge=None, case=None, ticket="", state="unknown"), 404
    case = _case_of(found)
    if case.season and not case.season.accepts_reports(today()):
        raise NotPossibleNow("closed", {"case": case})
    action = "withdraw" if request.form.get("action") == "withdraw" else "taken"
    telemetry.count(action, found.kind)
    verb = withdraw if action == "withdraw" else mark_taken
    found = cast("Pledge", verb(found.id))
    if not wants_fragment():
        return redirect(url_for(".posted", ticket=text), HTTPStatus.SEE_OTHER)
    return render_template(
        "pledges/_did_it_go.html",
        ticket=text,
        case=case,
        kind=found.kind,
        taken=found.state == PledgeState.TAKEN,
        taken_on=found.taken_at and found.taken_at.date(),
        withdrawn=found.state == PledgeState.WITHDRAWN,
    )


def _admit(form: PromiseForm, names: list[str] | None = None) -> Ticket:
    return admission().admit(form.ticket.data or "", request.form.get("altcha", ""), names=names or ())


def _promise(ticket: Ticket, case: Case, kind: Kind, form: PromiseForm, *, taken: bool = False) -> Promise:
    return Promise(ticket.id, case.id, kind, form.country.data, language(), taken=taken)


def _recorder(form: PromiseForm) -> Callable[[AnySession, Promise], None] | None:
    origin = read_origin(form.via.data)
    return origin.record if origin else None


def _with_ticket(page: str) -> str:
    ticket = admission().tickets.issue()
    return page.replace(TICKET_MARK, ticket.text).replace(CHALLENGE_MARK, str(escape(challenge_for(ticket) or "")))


def _thanks(case: Case, kind: Kind, ticket: Ticket, country: str, send: str = "") -> str:
    """Return the thank-you page; without `send`, the part with her own lines, the one for an action already done."""

    def frame() -> str:
        parts = thanks_parts(case, kind, taken=not send)
        marks = {"ticket": TICKET_MARK, "share": SHARE_MARK, "send": SEND_MARK, "country": COUNTRY_MARK}
        return render_template("pledges/thanks.html", **marks, **parts)

    page = kept().get(f"thanks {case.slug} {kind} {bool(send)} {language()}", PROCESS_SECONDS, frame)
    share = render_template("pledges/_bring_one_more.html", case=case) if case.shareable(today()) else ""
    page = page.replace(TICKET_MARK, ticket.text).replace(COUNTRY_MARK, country).replace(SHARE_MARK, share)
    # Her own words go in last, so that nothing is looked for in them.
    return page.replace(SEND_MARK, send)


def _writing_table(
    case: Case, kind: Kind, form: PromiseForm, challenge: str | None = None, notice: str | None = None
) -> str:
    return render_template(
        "pledges/write.html",
        challenge=challenge if settings().ratelimit_enabled else None,
        notice=notice,
        **message_parts(case, kind, form),
    )


def _already_form(case: Case) -> AlreadyForm:
    form = AlreadyForm(request.form)
    names = {"letter": _("A letter"), "email": _("An e-mail"), "post": _("A post"), "solidarity": _("A card")}
    form.kind.choices = [SelectChoice(kind.value, names[kind]) for kind in Kind if case.offers(kind)]
    return form


def _already_page(case: Case, form: AlreadyForm, challenge: str | None, notice: str | None = None) -> str:
    return render_template("pledges/already.html", case=case, form=form, challenge=challenge, notice=notice)


def _several_form() -> SeveralForm:
    form = SeveralForm(request.form)
    form.cases.choices = [SelectChoice(case.slug, case.name) for case in _letter_cases()]
    return form


def _several_page(form: SeveralForm, challenge: str | None, notice: str | None = None) -> str:
    offered = _letter_cases()
    return render_template(
        "pledges/several.html",
        form=form,
        cases=offered,
        without_letters=[case for case in shelf().of_the_day(today()) if case not in offered],
        challenge=challenge,
        notice=notice,
    )


def _letter_cases() -> list[Case]:
    return [
        case
        for case in shelf().of_the_day(today())
        if case.standing(today()) == "open" and case.offers(Kind.LETTER) and case.target(Kind.LETTER)
    ]


def _pledge_of(text: str) -> Pledge | None:
    try:
        return find_pledge(admission().tickets.read(text).id)
    except BadTicket:
        return None


def _case_of(found: Pledge) -> Case:
    return visible_case(shelf().by_id(found.case_id).slug)
