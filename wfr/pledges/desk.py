"""The desk's pages of numbers: the season as it goes, corrections, and the export."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from wfr.cases.models import CaseStatus, Kind
from wfr.cases.queries import shelf, today
from wfr.pledges.charting import bar_chart
from wfr.pledges.correcting import enter_correction, propose_correction, refuse_correction
from wfr.pledges.exporting import as_csv, export_actions
from wfr.pledges.forms import CorrectionForm
from wfr.pledges.queries import corrections_for_desk
from wfr.pledges.season_figures import season_figures
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route

blueprint = Blueprint("figures", __name__)


@desk_route(blueprint, "/numbers", role=Role.WRITER)
def numbers() -> ResponseReturnValue:
    """How the season goes: totals, days, cases, countries, and what stands out."""
    seen = season_figures()
    return render_template(
        "desk/pledges/numbers.html",
        seen=seen,
        chart=bar_chart([(day.actions, day.simulated) for day in seen.ledger.days]) if seen else None,
        case_names={case.id: case.name for case, _figures in seen.cases} if seen else {},
    )


@desk_route(blueprint, "/numbers/export", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def export() -> ResponseReturnValue:
    """All actions by day, case, kind and country, as a CSV file."""
    lines = as_csv(export_actions(by=actor()))
    name = f"actions-{today().isoformat()}.csv"
    return Response(
        lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@desk_route(blueprint, "/corrections", role=Role.COORDINATOR)
def corrections() -> ResponseReturnValue:
    """Every correction, and the form that proposes one."""
    return _corrections_page(_form())


@desk_route(blueprint, "/corrections", role=Role.COORDINATOR, methods=("POST",))
def propose() -> ResponseReturnValue:
    """Propose a correction for a second person to decide."""
    form = _form()
    if not form.validate():
        return _corrections_page(form), HTTPStatus.UNPROCESSABLE_ENTITY
    propose_correction(
        case_id=form.case.data,
        kind=Kind(form.kind.data),
        country=form.country.data,
        number=form.number.data,
        reason=form.reason.data or "",
        by=actor(),
    )
    flash(_("Proposed. It counts once a second person has entered it."))
    return _to_corrections()


@desk_route(blueprint, "/corrections/<int:number>/enter", role=Role.COORDINATOR, methods=("POST",), fresh=True)
def enter(number: int) -> ResponseReturnValue:
    """Enter somebody else's correction in the ledger."""
    enter_correction(correction_id=number, by=actor())
    flash(_("Entered. The count has moved, and “How we count” shows it."))
    return _to_corrections()


@desk_route(blueprint, "/corrections/<int:number>/refuse", role=Role.COORDINATOR, methods=("POST",))
def refuse(number: int) -> ResponseReturnValue:
    """Refuse somebody else's correction."""
    refuse_correction(correction_id=number, by=actor())
    flash(_("Refused. Nothing was counted."))
    return _to_corrections()


def _form() -> CorrectionForm:
    form = CorrectionForm(request.form)
    cases = [case for case in shelf().cases.values() if case.status != CaseStatus.WITHDRAWN]
    form.case.choices = [SelectChoice("", _("Choose a case")), *(SelectChoice(case.id, case.name) for case in cases)]
    names = {"letter": _("Letters"), "email": _("E-mails"), "post": _("Posts"), "solidarity": _("Cards")}
    form.kind.choices = [SelectChoice(kind.value, names[kind]) for kind in Kind]
    return form


def _corrections_page(form: CorrectionForm) -> str:
    return render_template("desk/pledges/corrections.html", form=form, entries=corrections_for_desk())


def _to_corrections() -> ResponseReturnValue:
    return redirect(url_for("figures.corrections"), HTTPStatus.SEE_OTHER)
