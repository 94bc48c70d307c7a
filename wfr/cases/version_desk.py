"""The way of a version: handed in, compared, approved or given back, published; and where the case stands since."""

from __future__ import annotations

from datetime import UTC, datetime, time
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import Form

from wfr.cases.comparing import compare
from wfr.cases.desk import back_to, blueprint, case_parts
from wfr.cases.desk_forms import ClosingForm, MomentForm, ReasonForm
from wfr.cases.desk_queries import case_at_desk, review_gaps, version_of, versions_of
from wfr.cases.documents import CaseDocument
from wfr.cases.drafting import begin_draft, revert_to
from wfr.cases.models import CaseVersion, VersionState
from wfr.cases.publishing import close, pause, publish, resume, unschedule
from wfr.cases.reviewing import approve, ask_for_change, submit, take_back
from wfr.cases.withdrawing import agree_return, ask_return, withdraw
from wfr.errors import Refused
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route, me


@desk_route(blueprint, "/cases/<slug>/review", role=Role.WRITER)
def review(slug: str) -> ResponseReturnValue:
    """The version that waits, beside what visitors read now; and whether it may pass."""
    found = case_at_desk(slug)
    version = found.newest
    if version is None or version.state != VersionState.IN_REVIEW:
        raise Refused(_("No version of this case waits for review."))
    gaps, source_gaps = review_gaps(version)
    return render_template(
        "desk/cases/review.html",
        **case_parts(found),
        version=version,
        against=found.shown,
        sections=compare(_document(found.shown), CaseDocument.model_validate(version.document)),
        gaps=gaps,
        source_gaps=source_gaps,
        consent_problems=found.consent_problems(),
        may_approve=found.may_approve(me()),
    )


@desk_route(blueprint, "/cases/<slug>/versions/<int:number>", role=Role.WRITER)
def version(slug: str, number: int) -> ResponseReturnValue:
    """One version beside another: by default the one it was made from."""
    found = case_at_desk(slug)
    shown = version_of(found.case, number)
    others = [other for other in versions_of(found.case) if other.number != number]
    wanted = request.args.get("against", shown.based_on, int)
    against = next((other for other in others if other.number == wanted), None)
    return render_template(
        "desk/cases/version.html",
        **case_parts(found),
        version=shown,
        against=against,
        others=others,
        sections=compare(_document(against), CaseDocument.model_validate(shown.document)),
        may_revert=found.newest is not None and found.newest.state != VersionState.IN_REVIEW,
    )


def _document(version: CaseVersion | None) -> CaseDocument | None:
    return CaseDocument.model_validate(version.document) if version else None


@desk_route(blueprint, "/cases/<slug>/draft", role=Role.WRITER, methods=("POST",))
def draft(slug: str) -> ResponseReturnValue:
    """Begin the next version, or go on with the one that is open."""
    begin_draft(by=actor(), slug=slug)
    return redirect(url_for("curating.edit", slug=slug), HTTPStatus.SEE_OTHER)


@desk_route(blueprint, "/cases/<slug>/revert", role=Role.WRITER, methods=("POST",))
def revert(slug: str) -> ResponseReturnValue:
    """Begin a draft that says what an earlier version said."""
    number = _number()
    new = revert_to(by=actor(), slug=slug, number=number)
    return back_to(slug, _("Draft %(new)s says what version %(number)s said.", new=new, number=number))


@desk_route(blueprint, "/cases/<slug>/submit", role=Role.WRITER, methods=("POST",))
def submit_draft(slug: str) -> ResponseReturnValue:
    """Hand the draft to review."""
    submit(by=actor(), slug=slug, revision=request.form.get("revision", 0, int))
    return back_to(slug, _("The draft is in review. Nobody can change it until somebody answers."))


@desk_route(blueprint, "/cases/<slug>/take-back", role=Role.WRITER, methods=("POST",))
def take_back_version(slug: str) -> ResponseReturnValue:
    """Take the version back from review."""
    take_back(by=actor(), slug=slug)
    return back_to(slug, _("Taken back from review."))


@desk_route(blueprint, "/cases/<slug>/approve", role=Role.REVIEWER, methods=("POST",))
def approve_version(slug: str) -> ResponseReturnValue:
    """Approve what somebody else has written."""
    approve(by=actor(), slug=slug, number=_number(), sources_seen="sources_seen" in request.form)
    return back_to(slug, _("Approved. A coordinator can publish it now."))


@desk_route(blueprint, "/cases/<slug>/ask-for-change", role=Role.REVIEWER, methods=("POST",))
def ask_change(slug: str) -> ResponseReturnValue:
    """Give the version back with what should change."""
    ask_for_change(by=actor(), slug=slug, number=_number(), note=request.form.get("note", "").strip())
    return back_to(slug, _("Given back to its writers."))


@desk_route(blueprint, "/cases/<slug>/publish", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def publish_version(slug: str) -> ResponseReturnValue:
    """Show the approved version to visitors, now or later."""
    at = _moment(MomentForm(request.form))
    publish(by=actor(), slug=slug, number=_number(), at=at)
    return back_to(slug, _("It goes public at its hour.") if at else _("Published. Visitors see it within seconds."))


@desk_route(blueprint, "/cases/<slug>/unschedule", role=Role.COORDINATOR, methods=("POST",))
def call_off(slug: str) -> ResponseReturnValue:
    """Call off a publication that waits for its hour."""
    unschedule(by=actor(), slug=slug)
    return back_to(slug, _("The publication is called off."))


@desk_route(blueprint, "/cases/<slug>/pause", role=Role.REVIEWER, methods=("POST",))
def pause_case(slug: str) -> ResponseReturnValue:
    """Stop the actions; the page stays."""
    pause(by=actor(), slug=slug, reason=_reason())
    return back_to(slug, _("Paused: the page stays, nobody can act."))


@desk_route(blueprint, "/cases/<slug>/resume", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def resume_case(slug: str) -> ResponseReturnValue:
    """Let a paused or closed case go on."""
    resume(by=actor(), slug=slug)
    return back_to(slug, _("The case goes on: visitors can act again."))


@desk_route(blueprint, "/cases/<slug>/close", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def close_case(slug: str) -> ResponseReturnValue:
    """End the actions for good, now or later; the page stays with what came of it."""
    form = ClosingForm(request.form)
    at = _moment(form)
    close(by=actor(), slug=slug, reason=form.reason.data or "", at=at)
    return back_to(slug, _("The case closes at its hour.") if at else _("Closed. The page stays."))


@desk_route(blueprint, "/cases/<slug>/withdraw", role=Role.REVIEWER, methods=("POST",))
def withdraw_case(slug: str) -> ResponseReturnValue:
    """Take the case from the public. It never waits for a code."""
    withdraw(by=actor(), slug=slug, reason=_reason())
    return back_to(slug, _("Withdrawn. Within five seconds nothing here names the person any more."))


@desk_route(blueprint, "/cases/<slug>/ask-return", role=Role.REVIEWER, methods=("POST",))
def ask_to_return(slug: str) -> ResponseReturnValue:
    """Ask that a withdrawn case be brought back."""
    ask_return(by=actor(), slug=slug)
    return back_to(slug, _("Asked. A second person must agree."))


@desk_route(blueprint, "/cases/<slug>/agree-return", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def agree_to_return(slug: str) -> ResponseReturnValue:
    """Agree, as the second person, that a withdrawn case comes back."""
    agree_return(by=actor(), slug=slug)
    return back_to(slug, _("The case is back, and paused. Let it go on when you are sure."))


def _number() -> int:
    return request.form.get("number", 0, int)


def _reason() -> str:
    form = _valid(ReasonForm(request.form))
    return str(form.reason.data)


def _moment(form: MomentForm) -> datetime | None:
    """Return the moment that was asked for, in UTC without a zone, or None for now; raises `Refused`."""
    _valid(form)
    if form.on.data is None:
        if form.at.data is not None:
            raise Refused(_("Give the day as well as the time."))
        return None
    moment = datetime.combine(form.on.data, form.at.data or time(0, 0))
    if moment <= datetime.now(UTC).replace(tzinfo=None):
        # "Now" by mistake would be the one thing that cannot be taken back.
        raise Refused(_("That moment has passed. Choose a later one, or leave day and time empty for now."))
    return moment


def _valid(form: Form) -> Form:
    if not form.validate():
        raise Refused(" ".join(str(problems[0]) for problems in form.errors.values()))
    return form
