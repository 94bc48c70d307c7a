"""The public pages of the season: home, cases, stories, privacy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.cases.models import Case, CaseText, Kind, SeasonState, Standing
from wfr.cases.queries import photograph_file, shelf, today
from wfr.cases.showing import PHOTOGRAPH_TYPES, photograph
from wfr.cases.stamps import stamp_pattern
from wfr.errors import DATABASE_AWAY, NoSuchThing, NotPossibleNow
from wfr.extensions import kept
from wfr.pages import language, public

blueprint = Blueprint("cases", __name__)
blueprint.add_app_template_global(stamp_pattern)
blueprint.add_app_template_global(photograph)

STORIES_ON_HOME = 3
PHOTOGRAPH_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Action:
    """One way to act on a case, as its page offers it, or says why not."""

    kind: Kind
    offered: bool
    label: str
    time: str
    why_not: str
    url: str


def actions_for(case: Case, text: CaseText) -> list[Action]:
    """Return the four ways to act on a case, in the order of a desktop: paper first."""
    words = {
        Kind.LETTER: (_("Write a letter"), _("About four minutes and a stamp")),
        Kind.EMAIL: (_("Send an e-mail"), _("About two minutes")),
        Kind.POST: (_("Post about it"), _("About one minute")),
        Kind.SOLIDARITY: (_("Send a card"), _("About four minutes and a stamp")),
    }
    return [
        Action(
            kind=kind,
            offered=case.offers(kind) and case.target(kind) is not None,
            label=label,
            time=time,
            why_not=text.why_not.get(kind.value, _("Not offered for this case.")),
            url=url_for("pledges.write", slug=case.slug, kind=kind.value),
        )
        for kind, (label, time) in words.items()
    ]


def visible_case(slug: str) -> Case:
    """Return the case at this address; raises `NoSuchThing`, or `NotPossibleNow` when it was withdrawn."""
    case = shelf().case(slug)
    if case.standing(today()) is Standing.WITHDRAWN:
        raise NotPossibleNow("withdrawn")
    return case


def open_case(slug: str, kind: Kind | None = None) -> Case:
    """Return the case if it can be acted on today, in this way; raises `NoSuchThing` or `NotPossibleNow`."""
    case = visible_case(slug)
    standing = case.standing(today())
    if standing is not Standing.OPEN:
        raise NotPossibleNow(standing.value, {"case": case})
    if kind and not (case.offers(kind) and case.target(kind)):
        raise NotPossibleNow("not_offered", {"case": case, "why_not": case.text(language()).why_not.get(kind.value)})
    return case


@blueprint.app_context_processor
def season_for_templates() -> dict[str, Any]:
    """Give every page the season; while the database has never answered, a page does without."""
    try:
        seen = shelf()
    except DATABASE_AWAY:
        return {"season": None, "season_state": None, "today": today(), "demonstration": False}
    season = seen.season
    return {
        "season": season,
        "season_state": season.state(today()).value if season else None,
        "today": today(),
        "demonstration": seen.demonstration,
    }


@blueprint.get("/")
@public
def home() -> ResponseReturnValue:
    """The sheet of stamps and the tally."""
    seen = shelf()
    season = seen.season
    return render_template(
        "cases/home.html",
        cases=seen.of_the_day(today()),
        stories=seen.stories_in(language())[:STORIES_ON_HOME],
        days_left=max(season.days_to_key_date(today()), 0) if season else None,
        result=season is not None and season.state(today()) is SeasonState.CLOSED,
    )


@blueprint.get("/cases/<slug>")
@public
def case(slug: str) -> ResponseReturnValue:
    """One case: who, what happened, what we ask, how to act, and what came of it."""
    found = visible_case(slug)
    text = found.text(language())
    return render_template(
        "cases/case.html",
        case=found,
        text=text,
        updates=found.updates_in(language()),
        standing=found.standing(today()).value,
        actions=actions_for(found, text),
        next_case=shelf().after(found, today()),
    )


@blueprint.get("/photographs/<photograph>/<int:width>.<any(webp, jpg):file_format>")
@public
def photograph_of(photograph: str, width: int, file_format: str) -> ResponseReturnValue:
    """One file of a photograph, as long as a case that visitors may see shows it."""
    shown = shelf().photograph(photograph)
    if shown is None or width not in shown.widths():
        raise NoSuchThing(photograph)
    # The name is a digest of what it names: its bytes are never others. Whether it is shown is asked above, each time.
    name = f"photograph {photograph} {width} {file_format}"
    data = kept().get(name, PHOTOGRAPH_SECONDS, lambda: photograph_file(photograph, width, file_format))
    return Response(data, mimetype=PHOTOGRAPH_TYPES[file_format])


@blueprint.get("/stories")
@public
def stories() -> ResponseReturnValue:
    """What letters did."""
    return render_template("cases/stories.html", stories=shelf().stories_in(language()), totals=shelf().totals)


@blueprint.get("/privacy")
@public
def privacy() -> ResponseReturnValue:
    """What is kept and what never is."""
    return render_template("cases/privacy.html")
