"""Curating: the desk's pages of cases, from the first draft to the last update."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.checking import find_gaps
from wfr.cases.comparing import PART_WORDS
from wfr.cases.desk_forms import CONSENTER_WORDS, KIND_WORDS, NewCaseForm, language_name
from wfr.cases.desk_queries import (
    CaseAtDesk,
    case_at_desk,
    cases_at_desk,
    names_of_accounts,
    seasons_at_desk,
    versions_of,
    waiting_for,
)
from wfr.cases.drafting import NewCase, begin_case
from wfr.cases.models import Case, CaseStatus
from wfr.cases.next_steps import next_steps
from wfr.cases.queries import today
from wfr.errors import Refused
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route, me

blueprint = Blueprint("curating", __name__)
blueprint.add_app_template_global(language_name)

SEEN_BY_VISITORS = (CaseStatus.PUBLISHED, CaseStatus.PAUSED, CaseStatus.CLOSED)


@blueprint.app_context_processor
def words_for_templates() -> dict[str, Any]:
    """Give the desk's templates the names of kinds, parts and people."""
    if not request.path.startswith("/desk"):
        return {}
    return {"kind_words": KIND_WORDS, "part_words": PART_WORDS, "consenter_words": CONSENTER_WORDS}


def case_parts(found: CaseAtDesk) -> dict[str, Any]:
    """Return what every page about one case shows: the case, who is who, and what visitors can see of it."""
    return {
        "found": found,
        "case": found.case,
        "names": names_of_accounts(),
        "visible": found.case.status in SEEN_BY_VISITORS,
    }


def back_to(slug: str, words: str, kind: str = "good") -> ResponseReturnValue:
    """Say what was done, on the case's overview."""
    flash(words, kind)
    return redirect(url_for("curating.case", slug=slug), HTTPStatus.SEE_OTHER)


@desk_route(blueprint, "/", role=Role.WRITER)
def home() -> ResponseReturnValue:
    """What waits for whom is signed in, and how the season goes."""
    return render_template("desk/cases/home.html", waiting=waiting_for(me()), names=names_of_accounts())


@desk_route(blueprint, "/cases", role=Role.WRITER, methods=("GET", "POST"))
def cases() -> ResponseReturnValue:
    """Every case there is; and a form that begins another."""
    seasons = seasons_at_desk()
    form = NewCaseForm(
        request.form or None,
        data={"season": seasons[0].id if seasons else 0, "language": "en"},
        seasons=[(season.id, season.name) for season in seasons],
    )
    if request.method == "POST" and form.validate():
        new = NewCase(
            slug=form.slug.data,
            name=form.name.data,
            country=form.country.data,
            season_id=form.season.data or None,
            language=form.language.data,
        )
        try:
            slug = begin_case(by=actor(), new=new)
        except Refused as problem:
            form.slug.errors = [str(problem.why)]
        else:
            return redirect(url_for("curating.edit", slug=slug), HTTPStatus.SEE_OTHER)
    page = render_template("desk/cases/cases.html", cases=cases_at_desk(), form=form, names=names_of_accounts())
    return page, HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK


@desk_route(blueprint, "/cases/<slug>", role=Role.WRITER)
def case(slug: str) -> ResponseReturnValue:
    """Where a case stands, what comes next, and everything that leads on from here."""
    found = case_at_desk(slug)
    document = found.document
    return render_template(
        "desk/cases/case.html",
        **case_parts(found),
        steps=next_steps(found, me()),
        versions=versions_of(found.case),
        gaps=find_gaps(document) if document else [],
        ends_soon=found.consent_ends_soon(),
        headline=_headline(found.case),
        day=today(),
    )


def _headline(shown: Case) -> str:
    return shown.text("en").headline if shown.texts else _("Nothing was published yet.")
