"""A teacher's private page: what to do next, the code, the numbers; and what can be changed."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.models import Case
from wfr.cases.queries import shelf, today
from wfr.drives.forms import PlanForm, ReportForm
from wfr.drives.links import LinkFor, link_address
from wfr.drives.manage_showing import collected_at, lines_of, next_step, no_longer_shown, shown_cases, years
from wfr.drives.managing import change_plan, close_drive, forget_teacher, pause_drive, replace_code, replace_links
from wfr.drives.models import Drive, DriveState
from wfr.drives.queries import DriveSeen, cases_taken_away, drive_by_link, seen_drive
from wfr.drives.sharing import drive_links
from wfr.drives.views import blueprint, links_left, to_manage
from wfr.errors import Refused
from wfr.extensions import settings
from wfr.letters.printing import qr_code
from wfr.pages import private, public
from wfr.share.queries import FEWEST_TOLD


@blueprint.get("/schools/manage/<token>")
@private
def manage(token: str) -> ResponseReturnValue:
    """Everything about one drive, for whoever has its private link."""
    return manage_page(token, drive_by_link(token, LinkFor.MANAGE))


@blueprint.get("/schools/manage/<token>/plan")
@private
def plan(token: str) -> ResponseReturnValue:
    """The form with what was told of a drive."""
    seen = seen_drive(drive_by_link(token, LinkFor.MANAGE))
    told = {
        name: getattr(seen.drive, name) for name in ("name", "starts", "ends", "hoped", "tell_outcomes", "invite_again")
    }
    return _plan_page(token, seen, _plan_form(seen, None, cases=[case.slug for case in seen.cases], **told))


@blueprint.post("/schools/manage/<token>/plan")
@private
def send_plan(token: str) -> ResponseReturnValue:
    """Change what was told of a drive."""
    seen = seen_drive(drive_by_link(token, LinkFor.MANAGE))
    form = _plan_form(seen, request.form)
    if not form.validate():
        return _plan_page(token, seen, form), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        change_plan(token=token, plan=form.plan())
    except Refused as problem:
        return _plan_page(token, seen, form, problem), HTTPStatus.CONFLICT
    return _back(token)


@blueprint.post("/schools/manage/<token>/<any(pause, resume):verb>")
@private
def pause(token: str, verb: str) -> ResponseReturnValue:
    """Stop the join code for a while, or let it work again."""
    pause_drive(token=token, paused=verb == "pause")
    return _back(token)


@blueprint.post("/schools/manage/<token>/new-code")
@private
def new_code(token: str) -> ResponseReturnValue:
    """Give the class another code; the old one lets nobody in any more."""
    replace_code(token=token)
    return _back(token)


@blueprint.post("/schools/manage/<token>/new-links")
@private
def new_links(token: str) -> ResponseReturnValue:
    """Replace the private links; the new one is mailed, and shown."""
    drive = replace_links(token=token)
    return to_manage(drive, mailed=links_left(drive))


@blueprint.post("/schools/manage/<token>/close")
@private
def close(token: str) -> ResponseReturnValue:
    """End a drive for pupils."""
    close_drive(token=token)
    return _back(token)


@blueprint.post("/schools/manage/<token>/forget")
@private
def forget(token: str) -> ResponseReturnValue:
    """Erase the teacher's address now; with it go the private links."""
    forget_teacher(token=token)
    return redirect(url_for(".forgotten"), HTTPStatus.SEE_OTHER)


@blueprint.get("/schools/forgotten")
@public
def forgotten() -> ResponseReturnValue:
    """What was erased and what stays; the same for everybody."""
    return render_template("drives/manage_forgotten.html")


def manage_page(token: str, drive: Drive, form: ReportForm | None = None, notice: object = None) -> str:
    """Return a drive's private page; `form` is its report form where it was filled in wrongly."""
    seen, day = seen_drive(drive), today()
    cases = shown_cases(seen, day)
    lines = lines_of(cases)
    open_lines = [shown.line for shown in lines if not shown.counted]
    told = {shown.line: shown.numbers.reported for shown in lines}
    base = settings().base_url
    join = base + url_for("joining.choose", code=seen.code) if seen.code else None
    return render_template(
        "drives/manage.html",
        token=token,
        seen=seen,
        drive=drive,
        state=drive.state(day).value,
        step=next_step(seen, day).value,
        cases=cases,
        gone=no_longer_shown(seen),
        taken_away=cases_taken_away(drive),
        years=years(seen),
        form=form or ReportForm(None, open_lines, told),
        notice=notice or _note(request.args.get("note")),
        reports_open=seen.season.accepts_reports(day),
        collected_at=collected_at(seen),
        own_links=drive_links(seen) if drive.state(day) in (DriveState.OPEN, DriveState.PAUSED) else [],
        fewest=FEWEST_TOLD,
        join_url=join,
        join_qr=qr_code(join, _("QR code: join with the code %(code)s", code=seen.code)) if join else None,
        private_url=link_address(drive, LinkFor.MANAGE),
        join_at=f"{base}{url_for('joining.code')}".partition("://")[2],
        wall_url=base + url_for("joining.wall", slug=drive.slug),
    )


def _note(name: str | None) -> str | None:
    words = {"not-mailed": _("Our mail could not leave just now. Keep the private link below in a safe place.")}
    return words.get(name or "")


def _back(token: str) -> ResponseReturnValue:
    return redirect(url_for(".manage", token=token), HTTPStatus.SEE_OTHER)


def _offered(seen: DriveSeen) -> list[Case]:
    """Return the cases that a plan can hold: those for schools now, and those that the drive has."""
    offered = shelf().for_schools(today())
    return [*offered, *(case for case in seen.cases if case not in offered)]


def _plan_form(seen: DriveSeen, typed: object, **values: object) -> PlanForm:
    return PlanForm(typed, season=seen.season, offered=_offered(seen), **values)


def _plan_page(token: str, seen: DriveSeen, form: PlanForm, problem: Refused | None = None) -> str:
    return render_template(
        "drives/manage_plan.html",
        token=token,
        drive=seen.drive,
        form=form,
        cases=_offered(seen),
        notice=problem.why if problem else None,
    )
