"""The desk's pages of drives: names that wait, reports to count, schools by country, and everything about one drive."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import Form
from wtforms.fields.choices import SelectChoice

from wfr.cases.desk_queries import names_of_accounts
from wfr.cases.models import CaseStatus
from wfr.cases.queries import today
from wfr.countries import country_name
from wfr.drives.desk_forms import (
    SORT_WORDS,
    AskForm,
    CountForm,
    FindForm,
    LineForm,
    MergeForm,
    MessageForm,
    OtherCountForm,
)
from wfr.drives.desk_queries import (
    MOST_LISTED,
    MOST_WAITING,
    Schools,
    Tallied,
    Wanted,
    drive_at_desk,
    drives_waiting,
    find_drives,
    schools,
    what_waits,
)
from wfr.drives.mapping import legend, school_map
from wfr.drives.moderating import LONGEST_MESSAGE, close_by_desk, judge_name, merge_drives, message_teacher
from wfr.drives.noticing import MOST_TRIES
from wfr.drives.reporting import MOST_REPORTED, ask_back, count_report
from wfr.pages import language
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route, me
from wfr.staff.queries import Wanted as Entries
from wfr.staff.queries import read_trail

blueprint = Blueprint("drives_desk", __name__)
blueprint.add_app_template_global(drives_waiting)


@desk_route(blueprint, "/drives", role=Role.WRITER)
def index() -> ResponseReturnValue:
    """What waits of all drives, and a season's schools: on the map, by country, and one by one."""
    form = FindForm(request.args)
    found = schools(form.season.data or "")
    _offer_countries(form, found)
    wanted = Wanted(form.words.data or "", form.country.data or "", by_address=me().may(Role.REVIEWER))
    listed = find_drives(found, wanted)
    return render_template(
        "desk/drives/index.html",
        waiting=what_waits(),
        most_waiting=MOST_WAITING,
        found=found,
        form=form,
        listed=listed[:MOST_LISTED],
        more=max(len(listed) - MOST_LISTED, 0),
        map=school_map({country: sums.drives for country, sums in found.countries}),
        legend=legend(),
        today=today(),
        sort_words=SORT_WORDS,
    )


@desk_route(blueprint, "/drives/<slug>", role=Role.WRITER)
def drive(slug: str) -> ResponseReturnValue:
    """Everything about one drive."""
    return _drive_page(slug)


@desk_route(blueprint, "/drives/<slug>/name", role=Role.REVIEWER, methods=("POST",))
def name(slug: str) -> ResponseReturnValue:
    """Let the drive's name be shown in public, or not; then back to the list or the drive, wherever it was decided."""
    approve = request.form.get("approve") == "yes"
    judge_name(slug=slug, approve=approve, by=actor())
    flash(_("The name is public now.") if approve else _("The name stays hidden. The teacher is told by mail."), "good")
    if request.form.get("from_list"):
        return redirect(url_for("drives_desk.index", _anchor="names"), HTTPStatus.SEE_OTHER)
    return _to_drive(slug)


@desk_route(blueprint, "/drives/<slug>/count", role=Role.REVIEWER, methods=("POST",))
def count(slug: str) -> ResponseReturnValue:
    """Enter what the office counted, or accepts, of one line."""
    form = OtherCountForm(request.form) if request.form.get("other") else CountForm(request.form)
    line = form.line()
    if not form.validate():
        return _drive_page(slug, form), HTTPStatus.UNPROCESSABLE_ENTITY
    count_report(drive_slug=slug, line=line, number=form.number.data, by=actor())
    flash(_("Counted. The public number holds it now."), "good")
    return _to_drive(slug)


@desk_route(blueprint, "/drives/<slug>/ask", role=Role.REVIEWER, methods=("POST",))
def ask(slug: str) -> ResponseReturnValue:
    """Ask the teacher about one line before it is counted."""
    form = AskForm(request.form)
    line = form.line()
    if not form.validate():
        return _drive_page(slug, form), HTTPStatus.UNPROCESSABLE_ENTITY
    ask_back(drive_slug=slug, line=line, question=form.question.data, by=actor())
    flash(_("Asked. The mail leaves within two minutes."), "good")
    return _to_drive(slug)


@desk_route(blueprint, "/drives/<slug>/message", role=Role.REVIEWER, methods=("POST",))
def message(slug: str) -> ResponseReturnValue:
    """Write to the teacher."""
    form = MessageForm(request.form)
    if not form.validate():
        return _drive_page(slug, form), HTTPStatus.UNPROCESSABLE_ENTITY
    message_teacher(slug=slug, words=form.words.data, by=actor())
    flash(_("Written. The mail leaves within two minutes."), "good")
    return _to_drive(slug)


@desk_route(blueprint, "/drives/<slug>/close", role=Role.REVIEWER, methods=("POST",))
def close(slug: str) -> ResponseReturnValue:
    """End the drive for pupils, for good."""
    close_by_desk(slug=slug, by=actor())
    flash(_("Closed. The teacher is told by mail."), "good")
    return _to_drive(slug)


@desk_route(blueprint, "/drives/<slug>/merge", role=Role.COORDINATOR, methods=("POST",))
def merge(slug: str) -> ResponseReturnValue:
    """Make the drive a part of another, and go on with the one that stays."""
    form = MergeForm(request.form)
    if not form.validate():
        return _drive_page(slug, form), HTTPStatus.UNPROCESSABLE_ENTITY
    merge_drives(slug=slug, into=form.into.data, by=actor())
    flash(_("The two are one drive now: this one."), "good")
    return _to_drive(form.into.data)


def _drive_page(slug: str, sent: Form | None = None) -> str:
    """Return the page of a drive; `sent` is a form that was not right, which comes back with its errors."""
    found = drive_at_desk(slug)
    forms = {kind: sent if type(sent) is kind else kind() for kind in (OtherCountForm, MessageForm, MergeForm)}
    countable = [case for case in found.cases if case.status != CaseStatus.WITHDRAWN]
    forms[OtherCountForm].case.choices = [SelectChoice(case.slug, case.name) for case in countable]
    likely = [*found.doubles, *(other for other in found.others if other not in found.doubles)]
    into = forms[MergeForm].into
    into.choices = [SelectChoice("", _("Choose a drive")), *(SelectChoice(each.slug, each.name) for each in likely)]
    return render_template(
        "desk/drives/drive.html",
        found=found,
        drive=found.drive,
        state=found.drive.state(today()),
        lines=[(line, *_line_forms(line, sent)) for line in found.lines],
        countable=countable,
        sent=sent,
        other=forms[OtherCountForm],
        message=forms[MessageForm],
        merging=forms[MergeForm],
        trail=read_trail(Entries(thing=f"drive:{found.drive.id}")).lines,
        names=names_of_accounts(),
        sort_words=SORT_WORDS,
        most_reported=MOST_REPORTED,
        longest=LONGEST_MESSAGE,
        most_tries=MOST_TRIES,
    )


def _line_forms(line: Tallied, sent: Form | None) -> tuple[CountForm, AskForm]:
    """Return the two forms of a line of the tally, as they were sent where they were for this line."""
    here = {"case": line.case.slug, "sort": line.sort.value}
    suggested = line.report.reported if line.report and line.report.counted is None else None
    counting, asking = CountForm(data={**here, "number": suggested}), AskForm(data=here)
    if isinstance(sent, LineForm) and {"case": sent.case.data, "sort": sent.sort.data} == here:
        counting = sent if type(sent) is CountForm else counting
        asking = sent if type(sent) is AskForm else asking
    for field in (counting.number, asking.question):
        field.id = f"{field.name}-{line.case.slug}-{line.sort.value}"
    return counting, asking


def _offer_countries(form: FindForm, found: Schools) -> None:
    names = sorted((country_name(country, language()), country) for country, _sums in found.countries)
    form.country.choices = [
        SelectChoice("", _("All countries")),
        *(SelectChoice(country, words) for words, country in names),
    ]


def _to_drive(slug: str) -> ResponseReturnValue:
    return redirect(url_for("drives_desk.drive", slug=slug), HTTPStatus.SEE_OTHER)
