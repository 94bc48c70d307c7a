"""At the desk: how a case's words fall into a letter, an e-mail, a post and a card, and onto the printed page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr import intents
from wfr.cases.desk_queries import case_at_desk
from wfr.cases.edit_desk import read_form, typed_case
from wfr.cases.models import Case, Kind, Target
from wfr.cases.queries import shelf, today
from wfr.errors import Refused
from wfr.extensions import settings
from wfr.letters.merging import Letter, PersonalLines, email_text, merge_letter, post_text
from wfr.letters.overflowing import count_pages
from wfr.letters.printing import print_letters
from wfr.paper import PaperError
from wfr.staff.models import Role
from wfr.staff.policy import desk_route

blueprint = Blueprint("paper_desk", __name__)

NETWORKS = ("x", "bluesky", "mastodon", "threads")


@dataclass(frozen=True, slots=True)
class DeskSheet:
    """What one kind of action makes of a case's words; `target` is None where nobody can be reached that way."""

    kind: str
    target: Target | None = None
    letter: Letter | None = None
    post_text: str = ""
    post_url: str = ""
    measures: tuple[intents.Measure, ...] = ()
    mailto_too_long: bool = False


def example_lines() -> PersonalLines:
    """Return the lines of somebody who adds what most people add: a name, a town, one sentence."""
    return PersonalLines(
        name=_("Your name"),
        address=_("Your town\nYour country"),
        own_words=_("Here stands one sentence of your own, as long as most people write it when they are asked why."),
    )


@blueprint.app_template_global()
def desk_sheet(case: Case, kind: str, language: str) -> DeskSheet:
    """Return what the writing table would show of a case that is still being written."""
    wanted = Kind(kind)
    target = case.target(wanted)
    if target is None:
        return DeskSheet(kind)
    demonstration = shelf().demonstration
    if wanted is Kind.POST:
        words = post_text(case, target, None, demonstration, language=language)
        url = f"{settings().base_url}{url_for('cases.case', slug=case.slug)}"
        measures = tuple(intents.measure(network, words, url) for network in NETWORKS)
        return DeskSheet(kind, target, post_text=words, post_url=url, measures=measures)
    letter = _merged(case, wanted, target, language)
    too_long = wanted is Kind.EMAIL and intents.too_long_for_mailto("", letter.subject, email_text(letter))
    return DeskSheet(kind, target, letter, mailto_too_long=too_long)


def _merged(case: Case, kind: Kind, target: Target, language: str) -> Letter:
    return merge_letter(
        case,
        kind,
        target,
        example_lines(),
        today=today(),
        language=language,
        demonstration=shelf().demonstration,
    )


@desk_route(blueprint, "/cases/<slug>/paper-fit", role=Role.WRITER, methods=("POST",))
def paper_fit(slug: str) -> ResponseReturnValue:
    """How many pages the letter takes on both papers, as the real printer of letters lays them out."""
    parts: dict[str, Any] = {"pages": {}, "problem": ""}
    try:
        letter = _typed_letter(slug)
        parts["pages"] = {paper: count_pages(letter, paper=paper, render=render_template) for paper in _PAPERS}
    except Refused as problem:
        parts["problem"] = problem.why
    except PaperError as problem:
        parts["problem"] = _("This letter cannot be printed: %(why)s", why=str(problem))
    return render_template("desk/cases/_paper_fit.html", **parts)


@desk_route(blueprint, "/cases/<slug>/paper", role=Role.WRITER, methods=("POST",))
def paper(slug: str) -> ResponseReturnValue:
    """The letter as a visitor would print it."""
    pdf = print_letters([_typed_letter(slug)], paper="A4", render=render_template)
    return Response(pdf, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{slug}.pdf"'})


_PAPERS: tuple[Any, ...] = ("A4", "Letter")


def _typed_letter(slug: str) -> Letter:
    typed = read_form(case_at_desk(slug))
    case = typed_case(typed)
    target = case.target(Kind.LETTER)
    if target is None or not case.text(typed.language).letter:
        raise Refused(_("A letter needs its words and somebody with a postal address."))
    return _merged(case, Kind.LETTER, target, typed.language)
