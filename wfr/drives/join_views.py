"""The pages of pupils: a code, a case, a letter. Nothing that anybody types here outlives its request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr import telemetry
from wfr.cases.models import Case, CaseText, Kind
from wfr.cases.queries import shelf, today
from wfr.cases.views import open_case
from wfr.drives.codes import clean_code
from wfr.drives.door import TooManyCodes, allows, drive_at, enter
from wfr.drives.join_forms import PupilForm, paper_in
from wfr.drives.joining import Barrier, Joining, NotJoined, join_drive
from wfr.drives.models import KINDS, Drive
from wfr.drives.queries import DriveNumbers, chosen_cases, seen_drive
from wfr.errors import AWAY, NoSuchThing, NotPossibleNow
from wfr.letters.merging import Letter, prefilled_message
from wfr.letters.overflowing import may_take_two_pages
from wfr.letters.printing import print_card, print_letters
from wfr.letters.views import merged
from wfr.pages import language, private, public, wants_fragment
from wfr.pledges.admitting import Refused
from wfr.pledges.answering import admission, away, usable_ticket, why_again

blueprint = Blueprint("joining", __name__)

TABLE = "/join/<code>/<slug>/<any(letter, solidarity):kind>"
RETRY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """A case that a pupil can choose, its words, and what there is to do for it."""

    case: Case
    text: CaseText
    kinds: Sequence[Kind]


@blueprint.errorhandler(NotJoined)
def not_joined(barrier: NotJoined) -> ResponseReturnValue:
    """Say what is in the way, and what to do."""
    return _not_now(barrier.why.value)


@blueprint.errorhandler(NotPossibleNow)
def not_possible(problem: NotPossibleNow) -> ResponseReturnValue:
    """Say that nobody can write for this case now; a withdrawn one is not named."""
    return _not_now("case_paused" if problem.what == "paused" else problem.what)


@blueprint.errorhandler(TooManyCodes)
def too_many_codes(_problem: TooManyCodes) -> ResponseReturnValue:
    """Ask whoever guesses to wait."""
    problem = _("Too many wrong codes came from your school’s connection. Ask your teacher, or wait an hour.")
    answer = Response(_code_page("", problem), HTTPStatus.TOO_MANY_REQUESTS)
    answer.headers["Retry-After"] = str(60 * RETRY_SECONDS)
    return answer


@blueprint.get("/join")
@public
def code() -> ResponseReturnValue:
    """Ask for the code, and lead to the class that it belongs to."""
    typed = request.args.get("code", "")
    if not typed.strip():
        return _code_page("", _("Type the six letters of your code.") if "code" in request.args else None)
    try:
        drive_at(typed)
    except NoSuchThing:
        return _code_page(typed, _unknown()), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for(".choose", code=clean_code(typed)), HTTPStatus.SEE_OTHER)


@blueprint.get("/join/<code>")
@private
def choose(code: str) -> ResponseReturnValue:
    """The people a class writes for, and the task for those who prefer not to write."""
    try:
        drive = enter(code)
    except NoSuchThing:
        return _code_page(code, _unknown()), HTTPStatus.NOT_FOUND
    seen = seen_drive(drive)
    choices = [_choice(case, seen.numbers) for case in seen.cases if case.for_schools(today())]
    if not choices:
        return _not_now("nobody")
    return render_template("drives/choose.html", code=code, choices=choices)


@blueprint.get("/join/<code>/task")
@private
def task(code: str) -> ResponseReturnValue:
    """The task that is worth as much as a letter."""
    drive = drive_at(code)
    return render_template("drives/task.html", code=code, paper=paper_in(drive.country))


@blueprint.get(TABLE)
@private
def write(code: str, slug: str, kind: str) -> ResponseReturnValue:
    """The writing table of a pupil, with a fresh ticket."""
    drive = enter(code)
    case = class_case(slug, Kind(kind))
    seen = seen_drive(drive)
    if case.slug not in {chosen.slug for chosen in seen.cases}:
        raise NoSuchThing(slug)
    if seen.numbers.of(case.id, kind).counted is not None:
        raise NotJoined(Barrier.COUNTED)
    return _table(code, case, Kind(kind), PupilForm(data={"paper": paper_in(drive.country)}), drive.country)


@blueprint.post(TABLE)
@private
def count(code: str, slug: str, kind: str) -> ResponseReturnValue:
    """Count the letter for the class, and answer with it, ready to be printed or copied by hand."""
    case = class_case(slug, Kind(kind))
    form = PupilForm(request.form)
    country = ""

    def again(status: int, notice: str | None = None) -> Response:
        return _again(_table(code, case, Kind(kind), form, country, notice), status)

    try:
        country = drive_at(code).country
        if not form.validate():
            return again(HTTPStatus.UNPROCESSABLE_ENTITY)
        ticket = admission().admit_by_code(form.ticket.data or "")
        if not allows(code, "pledge"):
            return again(HTTPStatus.TOO_MANY_REQUESTS, _busy())
        join_drive(code=clean_code(code), joining=Joining(ticket.id, case.id, Kind(kind), language()))
        telemetry.count("joined", kind)
    except Refused as refusal:
        return again(*why_again(refusal))
    except NotJoined as barrier:
        return _not_now(barrier.why.value, form)
    except AWAY:
        return again(*away())
    letter = _letter(case, Kind(kind), form, country)
    return render_template("drives/pupil_done.html", code=code, case=case, kind=kind, letter=letter, form=form)


@blueprint.post(f"{TABLE}/preview")
@private
def preview(code: str, slug: str, kind: str) -> ResponseReturnValue:
    """The letter as it will be: to htmx the sheet alone, to a browser without it the whole table again."""
    drive, case = _written(code, slug, Kind(kind))
    if not allows(code, "preview"):
        abort(HTTPStatus.TOO_MANY_REQUESTS)
    form = PupilForm(request.form)
    if wants_fragment():
        return render_template("pledges/_sheet.html", **_parts(case, Kind(kind), form, drive.country))
    form.validate()
    return _table(code, case, Kind(kind), form, drive.country)


@blueprint.post(f"{TABLE}/print")
@private
def print_paper(code: str, slug: str, kind: str) -> ResponseReturnValue:
    """The letter or the card on paper, without a code on it."""
    drive, case = _written(code, slug, Kind(kind))
    form = PupilForm(request.form)
    if not form.validate():
        # These lines were accepted once: whatever fails here was not typed on our pages.
        abort(HTTPStatus.BAD_REQUEST)
    if not allows(code, "print"):
        abort(HTTPStatus.TOO_MANY_REQUESTS)
    letter = _letter(case, Kind(kind), form, drive.country)
    if letter.kind is Kind.LETTER:
        content = print_letters([letter], paper=form.paper.data, render=render_template)
    else:
        content = print_card(letter, paper=form.paper.data, render=render_template)
    return Response(
        content, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{slug}.pdf"'}
    )


def class_case(slug: str, kind: Kind) -> Case:
    """Return the case if classes can write for it today, in this way; raises `NoSuchThing` or `NotPossibleNow`."""
    case = open_case(slug, kind)
    if not case.for_schools(today()):
        raise NotPossibleNow("not_for_classes")
    return case


def _written(code: str, slug: str, kind: Kind) -> tuple[Drive, Case]:
    """Return the class and the case of a form that may be old: the class may rest meanwhile, the case may not."""
    drive, case = drive_at(code), class_case(slug, kind)
    if case.id not in {chosen.id for chosen in chosen_cases(drive)}:
        raise NoSuchThing(slug)
    return drive, case


def _choice(case: Case, numbers: DriveNumbers) -> Choice:
    kinds = [
        kind
        for kind in KINDS
        if case.offers(kind) and case.target(kind) and numbers.of(case.id, kind.value).counted is None
    ]
    return Choice(case, case.text(language()), kinds)


def _letter(case: Case, kind: Kind, form: PupilForm, country: str) -> Letter:
    if not form.message.data:
        form.message.data = prefilled_message(case, kind, language())
    return merged(case, kind, form, country)


def _parts(case: Case, kind: Kind, form: PupilForm, country: str) -> dict[str, object]:
    """Return what the table and its sheet need."""
    letter = _letter(case, kind, form, country)
    return {
        "case": case,
        "text": case.text(language()),
        "kind": kind.value,
        "letter": letter,
        "form": form,
        "long": may_take_two_pages(letter, form.paper.data or "A4"),
        "pages": None,
    }


def _table(code: str, case: Case, kind: Kind, form: PupilForm, country: str, notice: str | None = None) -> str:
    form.ticket.data = usable_ticket(form.ticket.data or "").text
    return render_template("drives/pupil_write.html", code=code, notice=notice, **_parts(case, kind, form, country))


def _again(page: str, status: int) -> Response:
    answer = Response(page, status)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _not_now(why: str, form: PupilForm | None = None) -> Response:
    """Return the page that says what is in the way; what was typed in `form` stands on it, to be copied."""
    view = request.view_args or {}
    page = render_template(
        "drives/not_now.html",
        why=why,
        code=view.get("code"),
        form=form,
        here=url_for(".write", **view) if form else None,
        season=shelf().season,
    )
    status = HTTPStatus.TOO_MANY_REQUESTS if why == Barrier.LIMIT else HTTPStatus.GONE
    answer = Response(page, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _code_page(typed: str, problem: str | None = None) -> str:
    return render_template("drives/join.html", typed=typed, problem=problem)


def _unknown() -> str:
    words = _("We do not know this code. It has six letters and no figures. Look again, or ask your teacher.")
    return str(words)


def _busy() -> str:
    return str(_("Many letters came from your class just now. Your words are kept: wait a minute, then send it again."))
