"""Reporting what a class has counted: from the private page, or by the code on the packing slip."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.queries import today
from wfr.drives.forms import ReportForm
from wfr.drives.links import LinkFor
from wfr.drives.manage_showing import ShownCase, lines_of, shown_cases
from wfr.drives.manage_views import manage_page
from wfr.drives.models import Drive
from wfr.drives.queries import DriveSeen, cases_taken_away, drive_by_link, seen_drive
from wfr.drives.reporting import report as take_report
from wfr.drives.views import blueprint
from wfr.errors import AWAY, RETRY_AFTER_SECONDS, NotPossibleNow, Refused
from wfr.pages import private

Outcome = tuple[object, int]


@blueprint.get("/schools/report/<token>")
@private
def report(token: str) -> ResponseReturnValue:
    """The form to count on; the case that a petition's code names comes first."""
    drive = drive_by_link(token, LinkFor.REPORT)
    return _report_page(token, drive, _form(drive, None))


@blueprint.post("/schools/report/<token>")
@private
def send_report(token: str) -> ResponseReturnValue:
    """Take what the class has counted, sent by whoever packed the parcel."""
    drive = drive_by_link(token, LinkFor.REPORT)
    form = _form(drive, request.form)
    problem = _take(token, LinkFor.REPORT, form)
    if problem:
        return _report_page(token, drive, form, problem[0]), problem[1], _retry(problem[1])
    return redirect(url_for(".report", token=token), HTTPStatus.SEE_OTHER)


@blueprint.post("/schools/manage/<token>/report")
@private
def send_own_report(token: str) -> ResponseReturnValue:
    """Take what the class has counted, sent from the teacher's own page."""
    drive = drive_by_link(token, LinkFor.MANAGE)
    form = _form(drive, request.form)
    problem = _take(token, LinkFor.MANAGE, form)
    if problem:
        return manage_page(token, drive, form, problem[0]), problem[1], _retry(problem[1])
    return redirect(url_for(".manage", token=token), HTTPStatus.SEE_OTHER)


def _take(token: str, purpose: LinkFor, form: ReportForm) -> Outcome | None:
    """Report what was typed; return what to say and the status where that was not possible."""
    if not form.validate():
        return "", HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        take_report(token=token, purpose=purpose, numbers=form.numbers())
    except Refused as refusal:
        return refusal.why, HTTPStatus.UNPROCESSABLE_ENTITY
    except NotPossibleNow:
        return _("The time for reports is over. Write to us if your letters are missing."), HTTPStatus.GONE
    except AWAY:
        words = _(
            "Our database is out of reach for a moment. Your numbers are still here: send them again in a minute."
        )
        return words, HTTPStatus.SERVICE_UNAVAILABLE
    return None


def _form(drive: Drive, typed: object) -> ReportForm:
    shown = lines_of(shown_cases(seen_drive(drive), today()))
    told = {line.line: line.numbers.reported for line in shown}
    return ReportForm(typed, [line.line for line in shown if not line.counted], told)


def _report_page(token: str, drive: Drive, form: ReportForm, notice: object = None) -> str:
    seen = seen_drive(drive)
    return render_template(
        "drives/report.html",
        token=token,
        seen=seen,
        drive=drive,
        cases=_named_first(seen),
        form=form,
        notice=notice,
        taken_away=cases_taken_away(drive),
        reports_open=seen.season.accepts_reports(today()),
    )


def _named_first(seen: DriveSeen) -> list[ShownCase]:
    named = request.args.get("case")
    return sorted(shown_cases(seen, today()), key=lambda shown: shown.case.slug != named)


def _retry(status: int) -> dict[str, str]:
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
