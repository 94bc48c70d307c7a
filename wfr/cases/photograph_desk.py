"""The desk's photographs: uploaded into a case's draft, and shown to the desk before visitors may see them."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.desk_queries import CaseAtDesk, case_at_desk
from wfr.cases.documents import CaseDocument, preview_case
from wfr.cases.drafting import set_photograph
from wfr.cases.models import VersionState
from wfr.cases.photographs import MOST_BYTES, BadPhotograph, store_photograph
from wfr.cases.queries import photograph_file
from wfr.cases.season_forms import PhotographForm, photograph_form
from wfr.cases.showing import PHOTOGRAPH_TYPES
from wfr.errors import Refused
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route

blueprint = Blueprint("photographs", __name__)
FORM_BYTES = 64 * 1024


@desk_route(blueprint, "/photographs/<photograph>/<int:width>.<any(webp, jpg):file_format>", role=Role.WRITER)
def file(photograph: str, width: int, file_format: str) -> ResponseReturnValue:
    """One file of any photograph."""
    return Response(photograph_file(photograph, width, file_format), mimetype=PHOTOGRAPH_TYPES[file_format])


@desk_route(blueprint, "/cases/<slug>/photograph", role=Role.WRITER)
def show(slug: str) -> ResponseReturnValue:
    """The photograph of a case's draft, and the form that changes it."""
    at_desk = case_at_desk(slug)
    document = at_desk.document
    if document is None:
        return render_template("desk/photographs/photograph.html", at_desk=at_desk, draft=None, form=None)
    said = {f"alt_{language}": text.photograph_alt for language, text in document.texts.items()}
    return _page(at_desk, document, _form_for(document)(data={**said, "credit": document.photograph_credit}))


@desk_route(blueprint, "/cases/<slug>/photograph", role=Role.WRITER, methods=("POST",), largest=MOST_BYTES + FORM_BYTES)
def change(slug: str) -> ResponseReturnValue:
    """Put an uploaded photograph into a case's draft, change what is said of it, or take it out (`remove`)."""
    at_desk = case_at_desk(slug)
    document = at_desk.document
    if document is None or not _is_draft(at_desk):
        raise Refused(_("A photograph goes into a draft. Begin a draft of this case first."))
    if request.form.get("remove"):
        set_photograph(by=actor(), slug=slug, photograph=None, alt={}, credit=None)
        flash(_("The photograph is taken out of the draft."))
        return _to_photograph(slug)
    form = _form_for(document)(request.form)
    photograph = _store(form, document.photograph) if form.validate() else None
    if photograph is None:
        return _page(at_desk, document, form), HTTPStatus.UNPROCESSABLE_ENTITY
    set_photograph(
        by=actor(), slug=slug, photograph=photograph, alt=form.descriptions(), credit=form.credit.data or None
    )
    flash(_("The photograph is in the draft. Visitors see it once the draft is published."))
    return _to_photograph(slug)


def _store(form: PhotographForm, present: str | None) -> str | None:
    """Return the id of the photograph that was sent, or of the present one where none was; None with the error."""
    upload = request.files.get("photograph")
    if upload is None or not upload.filename:
        if present is None:
            form.photograph.errors = [_("Choose a file")]
        return present
    try:
        return store_photograph(by=actor(), data=upload.stream.read())
    except BadPhotograph as problem:
        form.photograph.errors = [str(problem.why)]
        return None


def _form_for(document: CaseDocument) -> type[PhotographForm]:
    # English first, where there is English: its description is the one that must be there.
    return photograph_form(sorted(document.texts, key=lambda language: (language != "en", language)))


def _page(at_desk: CaseAtDesk, document: CaseDocument, form: PhotographForm) -> str:
    return render_template(
        "desk/photographs/photograph.html",
        at_desk=at_desk,
        draft=preview_case(at_desk.case, document),
        is_draft=_is_draft(at_desk),
        form=form,
    )


def _is_draft(at_desk: CaseAtDesk) -> bool:
    return at_desk.newest is not None and at_desk.newest.state == VersionState.DRAFT


def _to_photograph(slug: str) -> ResponseReturnValue:
    return redirect(url_for("photographs.show", slug=slug), HTTPStatus.SEE_OTHER)
