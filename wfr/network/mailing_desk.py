"""The desk's pages of mailings: writing, approving, sending, and how far each has come."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.desk_forms import language_name
from wfr.cases.desk_queries import names_of_accounts
from wfr.errors import NoSuchThing, Refused
from wfr.extensions import settings
from wfr.network import preparing, steering, trying
from wfr.network.mailing_forms import HourForm, NewsForm, ReturnForm, WordsForm
from wfr.network.mailing_queries import (
    MailingAtDesk,
    cases_with_followers,
    languages_at_desk,
    mailing_at_desk,
    mailings_at_desk,
    problems_at_desk,
    said_in,
    writable_at_desk,
)
from wfr.network.mailing_showing import (
    PREVIEW_POLICY,
    bar_of,
    duration_parts,
    duration_words,
    nothing_leaves,
    preview_of,
    title_of,
)
from wfr.network.progress import estimate_of
from wfr.pages import wants_fragment
from wfr.security import content_policy
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route, me

blueprint = Blueprint("mailings", __name__)

SHOWING = {
    "bar_of": bar_of,
    "duration": duration_words,
    "duration_parts": duration_parts,
    "language_name": language_name,
    "title_of": title_of,
}
"""What the templates of mailings use to say things."""


@desk_route(blueprint, "/mailings", role=Role.WRITER)
def mailings() -> ResponseReturnValue:
    """Every mailing: what waits for whom, what is running, what came of what is over."""
    return _list_page(_news_form())


@desk_route(blueprint, "/mailings", role=Role.WRITER, methods=("POST",))
def begin() -> ResponseReturnValue:
    """Begin a mailing to those who follow a case."""
    form = _news_form()
    if not form.validate():
        return _list_page(form), HTTPStatus.UNPROCESSABLE_ENTITY
    return _to(preparing.begin_news(by=actor(), case_id=form.case.data))


@desk_route(blueprint, "/mailings/<int:mailing_id>", role=Role.WRITER)
def mailing(mailing_id: int) -> ResponseReturnValue:
    """One mailing: what it says, who gets it, what comes next, how far it has come."""
    found = mailing_at_desk(mailing_id)
    return _mailing_page(found, next(iter(writable_at_desk(found)), "en"))


@desk_route(blueprint, "/mailings/<int:mailing_id>/in/<language>", role=Role.WRITER)
def in_language(mailing_id: int, language: str) -> ResponseReturnValue:
    """The same, showing what it says in another language."""
    return _mailing_page(mailing_at_desk(mailing_id), language)


@desk_route(blueprint, "/mailings/<int:mailing_id>/in/<language>", role=Role.WRITER, methods=("POST",))
def save(mailing_id: int, language: str) -> ResponseReturnValue:
    """Save what a mailing says in a language, as a draft."""
    found = mailing_at_desk(mailing_id)
    _require_language(found, language)
    form = WordsForm(request.form)
    if form.validate():
        try:
            said = form.said(language)
            preparing.change_mailing(by=actor(), mailing_id=mailing_id, revision=form.revision.data, said=said)
        except Refused as problem:
            # What was typed must not be lost to a page that only says why.
            form.words.errors = [str(problem.why)]
        else:
            flash(_("Saved as a draft."))
            return redirect(_address(mailing_id, language), HTTPStatus.SEE_OTHER)
    return _mailing_page(mailing_at_desk(mailing_id), language, form), HTTPStatus.UNPROCESSABLE_ENTITY


@desk_route(blueprint, "/mailings/<int:mailing_id>/in/<language>/message", role=Role.WRITER)
def message(mailing_id: int, language: str) -> ResponseReturnValue:
    """The HTML of the message, for the frame on its page: nothing in it can do anything."""
    response = make_response(preview_of(mailing_at_desk(mailing_id), language).html)
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@desk_route(blueprint, "/mailings/<int:mailing_id>/in/<language>/try", role=Role.WRITER, methods=("POST",))
def try_out(mailing_id: int, language: str) -> ResponseReturnValue:
    """Send the message to who asks, and to nobody else."""
    trying.send_to_oneself(by=actor(), mailing_id=mailing_id, language=language)
    where = _("It is in the outbox: nothing leaves this machine.") if nothing_leaves() else _("Look into your mail.")
    flash(_("Sent to %(address)s as a test.", address=me().email) + " " + where)
    return redirect(_address(mailing_id, language), HTTPStatus.SEE_OTHER)


@desk_route(blueprint, "/mailings/<int:mailing_id>/progress", role=Role.WRITER)
def progress(mailing_id: int) -> ResponseReturnValue:
    """How far it has come: the part of its page that htmx asks for again while it runs."""
    found = mailing_at_desk(mailing_id)
    if not wants_fragment():
        return _to(mailing_id)
    response = make_response(render_template("desk/network/_mailing_progress.html", **SHOWING, found=found))
    if request.args.get("was") != found.mailing.state:
        # What can be done next is another thing now: the whole page says it.
        response.headers["HX-Refresh"] = "true"
    return response


@desk_route(blueprint, "/mailings/<int:mailing_id>/submit", role=Role.WRITER, methods=("POST",))
def submit(mailing_id: int) -> ResponseReturnValue:
    """Hand a draft to review."""
    preparing.submit_mailing(by=actor(), mailing_id=mailing_id, revision=_revision())
    return _back(mailing_id, _("Handed in. Somebody else approves it."))


@desk_route(blueprint, "/mailings/<int:mailing_id>/return", role=Role.REVIEWER, methods=("POST",))
def give_back(mailing_id: int) -> ResponseReturnValue:
    """Give a mailing back with what should change."""
    form = ReturnForm(request.form)
    _require_valid(form)
    words = form.note.data
    preparing.return_mailing(by=actor(), mailing_id=mailing_id, revision=_revision(), words=words)
    return _back(mailing_id, _("Given back. It is a draft again."))


@desk_route(blueprint, "/mailings/<int:mailing_id>/approve", role=Role.REVIEWER, methods=("POST",), fresh=True)
def approve(mailing_id: int) -> ResponseReturnValue:
    """Let somebody else's mailing go out."""
    form = HourForm(request.form)
    _require_valid(form)
    moment = form.moment()
    preparing.approve_mailing(by=actor(), mailing_id=mailing_id, revision=_revision(), start_at=moment)
    return _back(mailing_id, _("Approved. It goes out at its hour.") if moment else _("Approved. It goes out now."))


@desk_route(blueprint, "/mailings/<int:mailing_id>/unschedule", role=Role.WRITER, methods=("POST",))
def unschedule(mailing_id: int) -> ResponseReturnValue:
    """Take an approved mailing back to review before its hour."""
    preparing.unschedule_mailing(by=actor(), mailing_id=mailing_id, revision=_revision())
    return _back(mailing_id, _("Taken back. It waits for review again."))


@desk_route(blueprint, "/mailings/<int:mailing_id>/pause", role=Role.WRITER, methods=("POST",))
def pause(mailing_id: int) -> ResponseReturnValue:
    """Have nothing more leave until somebody lets it go on."""
    steering.pause_mailing(by=actor(), mailing_id=mailing_id)
    return _back(mailing_id, _("Paused. Nothing more leaves."))


@desk_route(blueprint, "/mailings/<int:mailing_id>/resume", role=Role.REVIEWER, methods=("POST",))
def resume(mailing_id: int) -> ResponseReturnValue:
    """Let a paused mailing go on."""
    steering.resume_mailing(by=actor(), mailing_id=mailing_id, revision=_revision())
    return _back(mailing_id, _("It goes on where it stopped."))


@desk_route(blueprint, "/mailings/<int:mailing_id>/cancel", role=Role.WRITER, methods=("POST",))
def cancel(mailing_id: int) -> ResponseReturnValue:
    """Call a mailing off for good."""
    steering.cancel_mailing(by=actor(), mailing_id=mailing_id)
    return _back(mailing_id, _("Called off. Nothing more leaves."))


def _news_form() -> NewsForm:
    return NewsForm(request.form or None, cases=[(case.id, case.name) for case in cases_with_followers()])


def _list_page(form: NewsForm) -> str:
    before = request.args.get("before", type=int)
    return render_template(
        "desk/network/mailings.html",
        **SHOWING,
        mailings=mailings_at_desk(before),
        before=before,
        form=form,
        names=names_of_accounts(),
        nothing_leaves=nothing_leaves(),
    )


def _mailing_page(found: MailingAtDesk, language: str, form: WordsForm | None = None) -> Response:
    if not found.withdrawn:
        _require_language(found, language)
    shows = not found.withdrawn and language in languages_at_desk(found)
    page = render_template(
        "desk/network/mailing.html",
        **SHOWING,
        found=found,
        mailing=found.mailing,
        said_in=language,
        languages=writable_at_desk(found),
        written=languages_at_desk(found),
        form=form or WordsForm.of(said_in(found, language), found.mailing.revision),
        preview=preview_of(found, language) if shows else None,
        estimate=None if found.begun or found.withdrawn else estimate_of(found.mailing),
        problems=problems_at_desk(found) if found.editable else [],
        names=names_of_accounts(),
        nothing_leaves=nothing_leaves(),
    )
    response = make_response(page)
    # The preview is a page of its own in a frame.
    response.headers["Content-Security-Policy"] = f"{content_policy(settings())}; frame-src 'self'"
    return response


def _require_language(found: MailingAtDesk, language: str) -> None:
    if language not in writable_at_desk(found):
        raise NoSuchThing(language)


def _require_valid(form: HourForm | ReturnForm) -> None:
    """Raise `Refused` with what is wrong with a form of few fields."""
    if not form.validate():
        raise Refused(" ".join(str(problem) for problems in form.errors.values() for problem in problems))


def _revision() -> int:
    return request.form.get("revision", 0, int)


def _address(mailing_id: int, language: str) -> str:
    return url_for("mailings.in_language", mailing_id=mailing_id, language=language)


def _back(mailing_id: int, words: str) -> ResponseReturnValue:
    flash(words)
    return _to(mailing_id)


def _to(mailing_id: int) -> ResponseReturnValue:
    return redirect(url_for("mailings.mailing", mailing_id=mailing_id), HTTPStatus.SEE_OTHER)
