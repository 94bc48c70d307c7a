"""The desk's pages of seasons: made, changed, put in order, handed on and taken over."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.desk_queries import seasons_at_desk
from wfr.cases.exporting import export_season
from wfr.cases.importing import MOST_ZIP_BYTES, import_season, unpack
from wfr.cases.models import Season
from wfr.cases.queries import find_season, today
from wfr.cases.season_files import BadFiles, CannotLoad
from wfr.cases.season_forms import SeasonForm
from wfr.cases.seasons import (
    BadPlan,
    SeasonPlan,
    change_season,
    close_season,
    make_season,
    move_case,
    open_season,
    order_cases,
)
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route

blueprint = Blueprint("seasons", __name__)
FORM_BYTES = 64 * 1024


@desk_route(blueprint, "/seasons", role=Role.COORDINATOR)
def index() -> ResponseReturnValue:
    """Every season, the newest first."""
    return render_template("desk/seasons/index.html", seasons=seasons_at_desk(), today=today())


@desk_route(blueprint, "/seasons/new", role=Role.COORDINATOR)
def new() -> ResponseReturnValue:
    """The form for a new season, filled in from an earlier one (`from`) with its days a year later."""
    earlier = request.args.get("from")
    form = SeasonForm(data=_copied(find_season(earlier)) if earlier else {"slug": str(today().year)})
    return render_template("desk/seasons/new.html", form=form)


def _copied(season: Season) -> dict[str, object]:
    plan = SeasonPlan.of(season).a_year_later()
    year = plan.opens.year
    return {
        **{name: getattr(plan, name) for name in SeasonPlan.__slots__},
        "name": plan.name.replace(str(year - 1), str(year)),
        "slug": str(year),
    }


@desk_route(blueprint, "/seasons/new", role=Role.COORDINATOR, methods=("POST",))
def make() -> ResponseReturnValue:
    """Make a season."""
    form = SeasonForm(request.form)
    slug = form.slug.data or ""
    if form.validate():
        try:
            make_season(by=actor(), slug=slug, plan=form.plan())
        except BadPlan as problem:
            form.blame(problem)
        else:
            flash(_("The season is made. It has no cases yet: begin them, or take them over from files."))
            return redirect(url_for("seasons.edit", slug=slug), HTTPStatus.SEE_OTHER)
    return render_template("desk/seasons/new.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY


@desk_route(blueprint, "/seasons/<slug>", role=Role.COORDINATOR)
def edit(slug: str) -> ResponseReturnValue:
    """One season: its plan, its cases in order, and what can be done with the whole."""
    season = find_season(slug)
    return _edit_page(season, SeasonForm(obj=season))


@desk_route(blueprint, "/seasons/<slug>", role=Role.COORDINATOR, methods=("POST",))
def change(slug: str) -> ResponseReturnValue:
    """Change a season's plan."""
    form = SeasonForm(request.form)
    if form.validate():
        try:
            change_season(by=actor(), slug=slug, plan=form.plan())
        except BadPlan as problem:
            form.blame(problem)
        else:
            flash(_("Saved."))
            return _to_season(slug)
    return _edit_page(find_season(slug), form), HTTPStatus.UNPROCESSABLE_ENTITY


def _edit_page(season: Season, form: SeasonForm) -> str:
    return render_template("desk/seasons/edit.html", season=season, form=form, state=season.state(today()).value)


@desk_route(blueprint, "/seasons/<slug>/order", role=Role.COORDINATOR, methods=("POST",))
def order(slug: str) -> ResponseReturnValue:
    """Put the cases in order: one of them a place ``up`` or ``down`` (`move`), or all of them (`order`)."""
    case, _colon, way = request.form.get("move", "").rpartition(":")
    if case:
        move_case(by=actor(), slug=slug, case=case, steps={"up": -1}.get(way, 1))
    else:
        order_cases(by=actor(), slug=slug, order=request.form.getlist("order"))
    return redirect(url_for("seasons.edit", slug=slug, _anchor="order"), HTTPStatus.SEE_OTHER)


@desk_route(blueprint, "/seasons/<slug>/open", role=Role.COORDINATOR, methods=("POST",))
def open_today(slug: str) -> ResponseReturnValue:
    """Open a coming season today."""
    open_season(by=actor(), slug=slug)
    flash(_("The season is open."))
    return _to_season(slug)


@desk_route(blueprint, "/seasons/<slug>/close", role=Role.COORDINATOR, methods=("POST",))
def close_today(slug: str) -> ResponseReturnValue:
    """Make today an open season's last day."""
    close_season(by=actor(), slug=slug)
    flash(_("Today is the season's last day. It closes at midnight (UTC)."))
    return _to_season(slug)


@desk_route(blueprint, "/seasons/<slug>/export", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def export(slug: str) -> ResponseReturnValue:
    """A season's files as a ZIP."""
    data = export_season(by=actor(), slug=slug)
    headers = {"Content-Disposition": f'attachment; filename="season-{slug}.zip"'}
    return Response(data, mimetype="application/zip", headers=headers)


@desk_route(blueprint, "/seasons/import", role=Role.COORDINATOR)
def take_over() -> ResponseReturnValue:
    """The form that takes over a season from a ZIP."""
    return render_template("desk/seasons/import.html", problems=[], why=None, done=None)


@desk_route(
    blueprint,
    "/seasons/import",
    role=Role.COORDINATOR,
    methods=("POST",),
    fresh=True,
    largest=MOST_ZIP_BYTES + FORM_BYTES,
)
def take_over_file() -> ResponseReturnValue:
    """Take over a season from a ZIP, as drafts; or say everything that is wrong with it."""
    problems, why, done = [], None, None
    try:
        done = import_season(by=actor(), files=_uploaded())
    except BadFiles as problem:
        problems = problem.problems
    except CannotLoad as problem:
        why = problem.args[0]
    page = render_template("desk/seasons/import.html", problems=problems, why=why, done=done)
    return page, HTTPStatus.OK if done else HTTPStatus.UNPROCESSABLE_ENTITY


def _uploaded() -> dict[str, bytes]:
    file = request.files.get("season")
    if file is None or not file.filename:
        raise CannotLoad(_("Choose a ZIP file."))
    return unpack(file.stream.read())


def _to_season(slug: str) -> ResponseReturnValue:
    return redirect(url_for("seasons.edit", slug=slug), HTTPStatus.SEE_OTHER)
