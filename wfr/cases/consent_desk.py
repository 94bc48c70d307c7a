"""Consent at the desk: what was agreed to, until when, and that it was taken back."""

from __future__ import annotations

from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.consenting import ConsentGiven, record_consent, revoke_consent
from wfr.cases.desk import back_to, blueprint, case_parts
from wfr.cases.desk_forms import ConsentForm
from wfr.cases.desk_queries import CaseAtDesk, case_at_desk, consents_of
from wfr.cases.models import Consenter
from wfr.cases.queries import today
from wfr.errors import Refused
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route


@desk_route(blueprint, "/cases/<slug>/consent", role=Role.WRITER, methods=("GET", "POST"))
def consent(slug: str) -> ResponseReturnValue:
    """The present consent, those before it, and a form for a new one."""
    found = case_at_desk(slug)
    form = ConsentForm(request.form or None, data=_proposed(found))
    problem: object = None
    if request.method == "POST" and form.validate():
        try:
            record_consent(by=actor(), slug=slug, given=_given(form))
        except Refused as refusal:
            problem = refusal.why
        else:
            flash(_("The consent is recorded."), "good")
            return redirect(url_for("curating.consent", slug=slug), HTTPStatus.SEE_OTHER)
    page = render_template(
        "desk/cases/consent.html",
        **case_parts(found),
        form=form,
        problem=problem,
        consents=consents_of(found.case),
        problems=found.consent_problems(),
        ends_soon=found.consent_ends_soon(),
        day=today(),
    )
    return page, HTTPStatus.UNPROCESSABLE_ENTITY if form.errors or problem else HTTPStatus.OK


@desk_route(blueprint, "/cases/<slug>/consent/revoke", role=Role.REVIEWER, methods=("POST",))
def revoke(slug: str) -> ResponseReturnValue:
    """Record that the consent was taken back; a published case is paused at once."""
    revoke_consent(by=actor(), slug=slug)
    return back_to(slug, _("The consent was taken back. If the case was published, it is paused now."), "warn")


def _proposed(found: CaseAtDesk) -> dict[str, object]:
    document = found.document
    return {"name": document.name if document else found.case.name, "checked_on": today()}


def _given(form: ConsentForm) -> ConsentGiven:
    return ConsentGiven(
        given_by=Consenter(form.given_by.data),
        name=form.name.data,
        photograph=form.photograph.data,
        story=form.story.data,
        kinds=list(form.kinds.data or ()),
        schools=form.schools.data,
        feeds=form.feeds.data,
        on_x=form.on_x.data,
        ends=form.ends.data,
        evidence=form.evidence.data,
        checked_on=form.checked_on.data,
    )
