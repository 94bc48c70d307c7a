"""The case editor: a form beside its live preview. The form carries one language at a time, so it stays small."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from wfr.cases.checking import Gap, find_gaps
from wfr.cases.desk import blueprint, case_parts
from wfr.cases.desk_forms import CaseForm, is_language, language_choices
from wfr.cases.desk_queries import CaseAtDesk, case_at_desk
from wfr.cases.documents import CaseDocument, TextDocument, preview_case
from wfr.cases.drafting import SomebodyElseSaved, save_draft
from wfr.cases.editing import (
    add_language,
    change_rows,
    form_values,
    languages_of,
    merge_form,
    problems_of,
)
from wfr.cases.models import Case, CaseVersion, VersionState
from wfr.cases.placeholders import PLACEHOLDERS
from wfr.cases.queries import today
from wfr.cases.share_words import COUNTED, SharedOn, measure_share_words
from wfr.cases.stamps import FAMILIES, PAIRS
from wfr.cases.views import actions_for
from wfr.pages import wants_fragment
from wfr.site import direction
from wfr.staff.models import Role
from wfr.staff.policy import actor, desk_route

LOOKS = ("page", "letter", "email", "post", "solidarity")
"""What the preview can show."""

_DEED = re.compile(r"[a-z]+(\.[a-z0-9-]+){1,2}")


@dataclass(frozen=True, slots=True)
class Typed:
    """What the editor sent: the form, the language it is in, and the document that it makes."""

    found: CaseAtDesk
    draft: CaseVersion
    form: Any
    language: str
    document: CaseDocument


@desk_route(blueprint, "/cases/<slug>/edit", role=Role.WRITER)
def edit(slug: str) -> ResponseReturnValue:
    """The open draft, in one language, beside its preview."""
    found = case_at_desk(slug)
    draft = open_draft(found)
    if draft is None:
        return _no_draft(found)
    document = CaseDocument.model_validate(draft.document)
    language = _language(document, request.args.get("language", ""))
    form = CaseForm(None, data=form_values(document, language, draft.revision))
    return _editor(Typed(found, draft, form, language, document))


@desk_route(blueprint, "/cases/<slug>/edit", role=Role.WRITER, methods=("POST",))
def save(slug: str) -> ResponseReturnValue:
    """Save the draft: by itself while somebody types (an answer in one line), or by a button."""
    found = case_at_desk(slug)
    if open_draft(found) is None:
        return _no_draft(found)
    typed = read_form(found)
    document, language = _after_button(typed)
    revision = request.form.get("over", 0, int) or typed.form.revision.data or 0
    try:
        saved = save_draft(by=actor(), slug=slug, revision=revision, document=document)
    except SomebodyElseSaved as problem:
        return _conflict(typed, problem.version)
    problems = problems_of(typed.form)
    if wants_fragment():
        return render_template(
            "desk/cases/_saved.html", **case_parts(found), draft=saved, problems=problems, conflict=None
        )
    if problems:
        typed.form.revision.data = saved.revision
        page = _editor(Typed(case_at_desk(slug), saved, typed.form, language, document), problems=problems)
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    part = request.form.get("do", "").partition(".")[0]
    place = "words" if part in ("open", "language") else part or None
    look = request.form.get("look") if request.form.get("look") in LOOKS[1:] else None
    return redirect(
        url_for("curating.edit", slug=slug, language=language, look=look, _anchor=place), HTTPStatus.SEE_OTHER
    )


@desk_route(blueprint, "/cases/<slug>/preview", role=Role.WRITER, methods=("POST",))
def preview(slug: str) -> ResponseReturnValue:
    """What visitors would see of what is typed, saved or not; and what it lacks."""
    found = case_at_desk(slug)
    if open_draft(found) is None:
        return ("", HTTPStatus.NO_CONTENT) if wants_fragment() else _no_draft(found)
    typed = read_form(found)
    parts = preview_parts(typed)
    return render_template("desk/cases/_preview.html" if wants_fragment() else "desk/cases/preview.html", **parts)


def open_draft(found: CaseAtDesk) -> CaseVersion | None:
    """Return the draft that can be written in, or None."""
    newest = found.newest
    return newest if newest is not None and newest.state == VersionState.DRAFT else None


def read_form(found: CaseAtDesk) -> Typed:
    """Read what the editor sent against the open draft; the caller has made sure that there is one."""
    draft = open_draft(found)
    if draft is None or not request.form:
        raise BadRequest
    stored = CaseDocument.model_validate(draft.document)
    language = _language(stored, request.form.get("language", ""))
    form = CaseForm(request.form, data=form_values(stored, language, draft.revision))
    form.validate()
    return Typed(found, draft, form, language, merge_form(form, stored, language))


def typed_case(typed: Typed) -> Case:
    """Return what is typed as a case that belongs to no session, with words in the language that is being written."""
    document = typed.document
    if typed.language not in document.texts:
        document = document.model_copy(update={"texts": {**document.texts, typed.language: TextDocument()}})
    return preview_case(typed.found.case, document)


def preview_parts(typed: Typed) -> dict[str, Any]:
    """Return what the preview and the live checks show of what is typed."""
    shown = typed_case(typed)
    text = shown.text(typed.language)
    gaps = find_gaps(typed.document)
    look = request.values.get("look", "page")
    return {
        **case_parts(typed.found),
        "shown": shown,
        "text": text,
        "updates": shown.updates_in(typed.language),
        "actions": actions_for(shown, text),
        "look": look if look in LOOKS else "page",
        "looks": LOOKS,
        "here": typed.language,
        "here_direction": direction(typed.language) if is_language(typed.language) else "ltr",
        "languages": languages_of(typed.document),
        "gaps": gaps,
        "checked": _checked(gaps, typed.language),
        "share_channels": list(SharedOn),
        "share_counted": (SharedOn.ANY, *COUNTED),
        "share_measures": measure_share_words(typed.document.texts.get(typed.language, TextDocument()).share),
        "count_of": {tag: sum(gap.language == tag for gap in gaps) for tag in languages_of(typed.document)},
        "form_errors": dict(_placed(typed)),
    }


def _checked(gaps: list[Gap], language: str) -> dict[str, object]:
    """Return what is wrong with the parts that are checked while somebody writes, and with nothing else."""
    return {
        part: next((gap.words for gap in gaps if (gap.part, gap.language) == (part, language)), "")
        for part in (*PLACEHOLDERS, *(f"share_{channel}" for channel in SharedOn))
    }


def _placed(typed: Typed) -> list[tuple[str, object]]:
    return [(field.id, words) for field, words in problems_of(typed.form)]


def _editor(typed: Typed, *, problems: list[Any] | None = None, conflict: CaseVersion | None = None) -> str:
    parts = preview_parts(typed)
    return render_template(
        "desk/cases/edit.html",
        **parts,
        form=typed.form,
        draft=typed.draft,
        document=typed.document,
        problems=problems or [],
        conflict=conflict,
        patterns=[_stamped(parts["shown"], pattern=name) for name in FAMILIES],
        pairs=[_stamped(parts["shown"], colours=name) for name in PAIRS],
        new_languages=language_choices(languages_of(typed.document)),
    )


def _stamped(shown: Case, **changes: str) -> Case:
    """Return just enough of a case to draw its stamp with another pattern or other colours; never its photograph."""
    values = {"slug": shown.slug, "name": shown.name, "country": shown.country}
    return Case(**{**values, "pattern": shown.pattern, "colours": shown.colours, **changes})


def _conflict(typed: Typed, theirs: CaseVersion) -> ResponseReturnValue:
    if wants_fragment():
        page = render_template(
            "desk/cases/_saved.html", **case_parts(typed.found), draft=theirs, problems=[], conflict=theirs
        )
    else:
        page = _editor(typed, conflict=theirs)
    return page, HTTPStatus.CONFLICT


def _no_draft(found: CaseAtDesk) -> ResponseReturnValue:
    page = "desk/cases/_draft_gone.html" if wants_fragment() else "desk/cases/no_draft.html"
    return render_template(page, **case_parts(found)), HTTPStatus.CONFLICT


def _language(document: CaseDocument, wanted: str) -> str:
    languages = languages_of(document)
    return wanted if wanted in languages else languages[0]


def _after_button(typed: Typed) -> tuple[CaseDocument, str]:
    """Return the document and the language to go on in, after the button that sent the form."""
    deed = request.form.get("do", "")
    if not _DEED.fullmatch(deed):
        return typed.document, typed.language
    if deed == "language.add":
        wanted = request.form.get("new_language", "")
        if is_language(wanted):
            return add_language(typed.document, wanted), wanted
    if deed.startswith("open."):
        return typed.document, _language(typed.document, deed.removeprefix("open."))
    document = change_rows(typed.document, deed, typed.language, today())
    return document, _language(document, typed.language)
