"""The Atom feeds of cases with their news and of Urgent Actions, and the calendar of the season's days."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from wfr.api import urgent_feed
from wfr.api.calendars import season_calendar
from wfr.api.feeds import MEDIA_TYPE, Masthead, atom_feed, entries_of
from wfr.api.showing import whole_url
from wfr.cases.models import Case
from wfr.cases.queries import shelf, today
from wfr.extensions import settings
from wfr.network.urgent_queries import first_days, newest_issued
from wfr.pages import language, public

blueprint = Blueprint("feeds", __name__)


@blueprint.get("/feed.atom")
@public
def atom() -> ResponseReturnValue:
    """The newest cases and their news, for programs that read feeds."""
    present, seen = settings(), shelf()
    site = present.site_name
    masthead = Masthead(
        title=_("%(site)s (demonstration)", site=site) if seen.demonstration else site,
        author=present.organisation or site,
        url=whole_url("cases.home"),
        own_url=whole_url("feeds.atom"),
        language=language(),
    )
    days = first_days(case.id for case in seen.cases.values() if case.season_id is None)
    entries = entries_of(seen, today(), language(), _case_url, days)
    return Response(atom_feed(masthead, entries), mimetype=MEDIA_TYPE)


@blueprint.get("/urgent-actions.atom")
@public
def urgent_atom() -> ResponseReturnValue:
    """The newest Urgent Actions, their updates and outcomes, for programs that read feeds."""
    site, seen = settings().site_name, shelf()
    title = _("%(site)s: Urgent Actions", site=site)
    masthead = Masthead(
        title=_("%(site)s (demonstration)", site=title) if seen.demonstration else title,
        author=settings().organisation or site,
        url=whole_url("urgent.index"),
        own_url=whole_url("feeds.urgent_atom"),
        language=language(),
        name=urgent_feed.NAME,
    )
    issued = newest_issued(urgent_feed.ENTRIES)
    entries = urgent_feed.urgent_entries(issued, today(), language(), _urgent_url)
    return Response(atom_feed(masthead, entries), mimetype=MEDIA_TYPE)


@blueprint.get("/calendar.ics")
@public
def calendar() -> ResponseReturnValue:
    """The season's days and the cases' deadlines, for calendar programs."""
    words = season_calendar(shelf(), today(), settings().site_name, whole_url("cases.home"), _case_url)
    return Response(words, mimetype="text/calendar")


@blueprint.after_request
def let_other_sites_read(response: Response) -> Response:
    """Let a script of another site read what is for everybody."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _urgent_url(case: Case) -> str:
    return whole_url("urgent.action", slug=case.slug)


def _case_url(case: Case) -> str:
    return whole_url("cases.case", slug=case.slug)
