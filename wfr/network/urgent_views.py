"""Urgent Actions: what is urgent now, one Urgent Action and its earlier issues, the same as PDF, the archive."""

from __future__ import annotations

from hashlib import sha256
from typing import cast

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from wfr.cases.models import Case
from wfr.cases.queries import shelf, today
from wfr.cases.views import actions_for, open_case, visible_case
from wfr.countries import country_name
from wfr.errors import NoSuchThing
from wfr.extensions import kept, limit_of, settings
from wfr.letters.printing import PAPERS, Paper
from wfr.network.interests import CONCERN_WORDS, Concern
from wfr.network.searching import LONGEST_SEARCH, Wanted, archive, offered
from wfr.network.urgent_queries import (
    Chain,
    bare_number,
    chain_of,
    issued_document,
    ordinal_words,
    urgent_now,
)
from wfr.network.urgent_showing import PaperSheet, days_left, issued_sheet, present_sheet, urgent_html, urgent_pdf
from wfr.pages import language, public
from wfr.text import RefusedText, clean_line


def concern_words(concern: str) -> object:
    """Return a concern in the words that activists know."""
    return CONCERN_WORDS[Concern(concern)]


blueprint = Blueprint("urgent", __name__)
blueprint.add_app_template_global(concern_words)
blueprint.add_app_template_global(chain_of, "urgent_chain")
blueprint.add_app_template_global(urgent_now)
blueprint.add_app_template_global(ordinal_words)
blueprint.add_app_template_global(bare_number, "urgent_number")
blueprint.add_app_template_global(days_left, "urgent_days_left")

PDF_SECONDS = 60.0
PDFS_KEPT = 20
FIRST_YEAR, LAST_YEAR = 1, 9998


@blueprint.get("/urgent-actions")
@public
def index() -> ResponseReturnValue:
    """What is urgent now, what comes first first."""
    return render_template("network/urgent/index.html", running=urgent_now())


@blueprint.get("/urgent-actions/archive")
@public
@limit_of("limit_previews")
def issued() -> ResponseReturnValue:
    """Everything that was issued, by year, country and concern, and by its words."""
    wanted, narrowing = _wanted(), offered()
    countries = [(code, country_name(code, language())) for code in narrowing.countries]
    return render_template(
        "network/urgent/archive.html",
        wanted=wanted,
        page=archive(wanted),
        years_offered=[(year, year) for year in narrowing.years],
        countries_offered=sorted(countries, key=lambda pair: pair[1]),
        concerns_offered=[(each, concern_words(each)) for each in narrowing.concerns],
    )


@blueprint.get("/urgent-actions/<slug>")
@public
def action(slug: str) -> ResponseReturnValue:
    """One Urgent Action, in the layout that activists know."""
    case, chain = _found(slug)
    sheet = present_sheet(case, chain.action, chain.newest, language())
    standing = case.standing(today())
    actions = actions_for(case, sheet.text)
    return render_template(
        "network/urgent/action.html",
        case=case,
        chain=chain,
        sheet=sheet,
        standing=standing.value,
        actions=[each for each in actions if each.offered],
    )


@blueprint.get("/urgent-actions/<slug>.pdf")
@public
@limit_of("limit_prints")
def paper(slug: str) -> ResponseReturnValue:
    """The same on paper, as long as it can be acted on."""
    case, chain = _found(slug)
    open_case(slug)
    size = cast("Paper", request.args.get("paper")) if request.args.get("paper") in PAPERS else "A4"
    pdf = _printed(case, chain, size)
    headers = {"Content-Disposition": f'inline; filename="{case.slug}.pdf"'}
    return Response(pdf, mimetype="application/pdf", headers=headers)


@blueprint.get("/urgent-actions/<slug>/<int:ordinal>")
@public
def earlier(slug: str, ordinal: int) -> ResponseReturnValue:
    """An earlier issue, as it was issued; the newest is the Urgent Action's own page.

    Of one that names the person otherwise than the case does now only the head is shown: a name may be withheld since.
    """
    case, chain = _found(slug)
    if ordinal == chain.newest.ordinal:
        return redirect(url_for("urgent.action", slug=slug))
    sheet = issued_sheet(case, chain.action, issued_document(chain, ordinal), language())
    named_as_now = sheet.case.name == case.name
    return render_template(
        "network/urgent/earlier.html", case=case, chain=chain, sheet=sheet, named_as_now=named_as_now
    )


def _found(slug: str) -> tuple[Case, Chain]:
    """Return what was issued of a case that visitors may see; raises `NoSuchThing`, or `NotPossibleNow`."""
    case = visible_case(slug)
    chain = chain_of(case)
    if chain is None:
        raise NoSuchThing(slug)
    return case, chain


def _printed(case: Case, chain: Chain, size: Paper) -> bytes:
    """Return the PDF, printed anew when anything that it says has changed."""
    url = f"{settings().base_url}{url_for('urgent.action', slug=case.slug)}"
    sheet = present_sheet(case, chain.action, chain.newest, language())
    printed = PaperSheet(sheet, url, demonstration=shelf().demonstration)
    html = urgent_html(printed, paper=size, render=render_template)
    name = f"urgent pdf {sha256(html.encode()).hexdigest()}"
    pdf = kept().get(name, PDF_SECONDS, lambda: urgent_pdf(html))
    kept().keep_newest("urgent pdf ", PDFS_KEPT)
    return pdf


def _wanted() -> Wanted:
    """Return what the address asks of the archive; what is no year, country or concern is not asked."""
    given = request.args
    year, concern = given.get("year", 0, int), given.get("concern", "")
    return Wanted(
        year=year if FIRST_YEAR <= year <= LAST_YEAR else None,
        country=given.get("country", "")[:2],
        concern=concern if concern in list(Concern) else "",
        words=_typed(given.get("q", "")),
        page=max(given.get("page", 1, int), 1),
    )


def _typed(words: str) -> str:
    try:
        return clean_line(words)[:LONGEST_SEARCH]
    except RefusedText:
        return ""
