"""Paper and files made of a visitor's own lines: answered in their request, stored nowhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeVar

import structlog
from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

from wfr import intents
from wfr.cases.models import Case, Kind, Target
from wfr.cases.queries import shelf, today
from wfr.cases.views import open_case
from wfr.errors import NoSuchThing, rule
from wfr.extensions import limit_of, settings
from wfr.letters.addressing import posting_hints, reached_from
from wfr.letters.forms import CardForm, EmailForm, LetterForm, lines_of
from wfr.letters.merging import Letter, by_embassy, email_text, embassy_copy, merge_letter, put_beside
from wfr.letters.overflowing import count_pages
from wfr.letters.printing import Slip, handwriting_entry, print_card, print_handwriting, print_letters
from wfr.pages import language, private
from wfr.paper import PaperError

blueprint = Blueprint("letters", __name__)
log = structlog.get_logger(__name__)

TICKET = re.compile(r"[A-Za-z0-9_.-]{1,120}")
CASES_AT_MOST = 50

F = TypeVar("F", bound=Form)


@blueprint.app_errorhandler(PaperError)
def not_printed(problem: PaperError) -> ResponseReturnValue:
    """Say plainly that there is no sheet, rather than give a wrong one."""
    log.error("not_printed", rule=rule(), why=str(problem))
    return render_template("errors/paper.html"), HTTPStatus.INTERNAL_SERVER_ERROR


@blueprint.post("/cases/<slug>/letter/print")
@private
@limit_of("limit_prints")
def print_letter(slug: str) -> ResponseReturnValue:
    """One letter on its sheet, and the slip to keep on another."""
    case = open_case(slug, Kind.LETTER)
    form = _valid(LetterForm(request.form))
    slips = _slips([case], [request.form.get("ticket", "")])
    letters = [merged(case, Kind.LETTER, form)]
    if form.copy.data and has_embassy_copy(case):
        letters.append(embassy_copy(letters[0], target_of(case, Kind.LETTER), _sender()))
    return _pdf(
        f"letter-{case.slug}",
        print_letters(letters, paper=form.paper.data, render=render_template, slips=slips),
    )


@blueprint.post("/cases/<slug>/letter/fit")
@private
@limit_of("limit_previews")
def fit(slug: str) -> ResponseReturnValue:
    """How many pages the letter takes, as the real printer lays it out; the sheet tells which lines it cannot print."""
    case = open_case(slug, Kind.LETTER)
    form = LetterForm(request.form)
    pages = None
    if form.validate():
        pages = count_pages(merged(case, Kind.LETTER, form), paper=form.paper.data, render=render_template)
    return render_template("pledges/_fit.html", case=case, pages=pages, long=True)


@blueprint.post("/several/print")
@private
@limit_of("limit_prints")
def print_several() -> ResponseReturnValue:
    """All letters of a December evening in one file, and one slip for all of them."""
    cases = _chosen()
    form = _valid(LetterForm(request.form))
    letters = [merged(case, Kind.LETTER, form) for case in cases]
    slips = _slips(cases, request.form.getlist("ticket"))
    return _pdf("letters", print_letters(letters, paper=form.paper.data, render=render_template, slips=slips))


@blueprint.post("/several/handwriting")
@private
@limit_of("limit_prints")
def print_handwriting_sheet() -> ResponseReturnValue:
    """What to write by hand: greetings, what to ask, envelopes."""
    form = _valid(LetterForm(request.form))
    entries = [
        handwriting_entry(case, target_of(case, Kind.LETTER), language=language(), demonstration=shelf().demonstration)
        for case in _chosen()
    ]
    return _pdf("by-hand", print_handwriting(entries, paper=form.paper.data, render=render_template))


@blueprint.post("/cases/<slug>/solidarity/print")
@private
@limit_of("limit_prints")
def print_solidarity_card(slug: str) -> ResponseReturnValue:
    """A card to the person in the case."""
    case = open_case(slug, Kind.SOLIDARITY)
    form = _valid(CardForm(request.form))
    card = merged(case, Kind.SOLIDARITY, form)
    return _pdf(f"card-{case.slug}", print_card(card, paper=form.paper.data, render=render_template))


@blueprint.post("/cases/<slug>/email/message.eml")
@private
@limit_of("limit_prints")
def eml(slug: str) -> ResponseReturnValue:
    """The e-mail as a file that a mail program opens as a draft."""
    case = open_case(slug, Kind.EMAIL)
    letter = merged(case, Kind.EMAIL, _valid(EmailForm(request.form)))
    target = target_of(case, Kind.EMAIL)
    message = intents.eml(target.email or "", letter.subject, email_text(letter))
    return _file(message, "message/rfc822", f'attachment; filename="{case.slug}.eml"')


def merged(case: Case, kind: Kind, form: Form, sender: str | None = None) -> Letter:
    """Return the case's message with the visitor's own lines from `form`.

    A letter is in two languages where the form says so, and goes to the embassy where post does not reach its target
    from `sender`, a country: by default the one that the form says.
    """
    target = target_of(case, kind)
    sender = _sender() if sender is None else sender
    letter = merge_letter(
        case,
        kind,
        target,
        lines_of(form),
        today=today(),
        language=language(),
        demonstration=shelf().demonstration,
    )
    if kind is not Kind.LETTER:
        return letter
    if not reached_from(target, sender):
        letter = by_embassy(letter, target, sender)
    return put_beside(letter, case, target) if "beside" in form and form["beside"].data else letter


def has_embassy_copy(case: Case) -> bool:
    """Say whether a copy of this request's letter can go to an embassy whose address is known."""
    target = target_of(case, Kind.LETTER)
    return _sender() in (target.embassies or {}) and reached_from(target, _sender())


def target_of(case: Case, kind: Kind) -> Target:
    """Return whom this kind of action goes to; only asked of cases that offer it."""
    target = case.target(kind)
    if target is None:
        raise NoSuchThing(f"{case.slug} offers {kind} without a target")
    return target


def hints_for(case: Case, kind: Kind, sender_country: str) -> list[str]:
    """Return what to do with the case's finished letter or card, posted from `sender_country`."""
    email = kind is Kind.LETTER and case.offers(Kind.EMAIL) and case.target(Kind.EMAIL) is not None
    target = target_of(case, kind)
    return posting_hints(target, sender_country, case.deadline, today(), language=language(), email=email)


def _sender() -> str:
    return request.form.get("country", "")


def _valid(form: F) -> F:
    # These lines were accepted once by the form they come from: whatever fails here was not typed on our pages.
    if not form.validate():
        abort(HTTPStatus.BAD_REQUEST)
    return form


def _chosen() -> list[Case]:
    slugs = list(dict.fromkeys(request.form.getlist("cases")))[:CASES_AT_MOST]
    if not slugs:
        abort(HTTPStatus.BAD_REQUEST)
    return [open_case(slug, Kind.LETTER) for slug in slugs]


def _slips(cases: Sequence[Case], tickets: Sequence[str]) -> list[Slip]:
    """Return a slip for each case whose ticket came along; a form that lost its tickets still prints its letters."""
    return [
        Slip(
            case_name=case.name,
            url=f"{settings().base_url}{url_for('pledges.posted', ticket=ticket)}",
            hints=tuple(hints_for(case, Kind.LETTER, _sender())),
        )
        for case, ticket in zip(cases, tickets, strict=False)
        if TICKET.fullmatch(ticket)
    ]


def _pdf(name: str, content: bytes) -> Response:
    return _file(content, "application/pdf", f'inline; filename="{name}.pdf"')


def _file(content: bytes, mimetype: str, disposition: str) -> Response:
    return Response(content, mimetype=mimetype, headers={"Content-Disposition": disposition})
