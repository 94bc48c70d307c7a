"""The calendar (RFC 5545): the days of a season, and until when a letter for somebody is of use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from flask_babel import gettext as _
from icalendar import Calendar, Event

from wfr.api.feeds import identity
from wfr.cases.models import Case, Season
from wfr.cases.queries import Shelf
from wfr.errors import NoSuchThing


@dataclass(frozen=True, slots=True)
class Appointment:
    """A whole day that something begins or ends on. `uid` stays when the day or the words change."""

    uid: str
    day: date
    summary: str
    url: str


def season_calendar(seen: Shelf, today: date, site_name: str, home: str, url_of: Callable[[Case], str]) -> bytes:
    """Return the present season's days and its cases' deadlines as an iCalendar file.

    `home` is the site's own address. Raises `NoSuchThing` where there is no day to tell of: a calendar without an
    event is none.
    """
    days = [*_season_days(seen.season, home), *_deadlines(seen, today, url_of)]
    if not days:
        raise NoSuchThing("calendar")
    calendar = Calendar()
    name = seen.season.name if seen.season else site_name
    for key, value in (("version", "2.0"), ("prodid", "-//wfr//calendar//EN"), ("method", "PUBLISH")):
        calendar.add(key, value)
    calendar.add("x-wr-calname", name)
    # The moment of writing, to the day: the same file has the same bytes until something is new.
    stamp = datetime.combine(today, time(), UTC)
    mark = _("[Demonstration]") + " " if seen.demonstration else ""
    for appointment in sorted(days, key=lambda appointment: appointment.day):
        calendar.add_component(_event(appointment, stamp, mark))
    return bytes(calendar.to_ical())


def _season_days(season: Season | None, home: str) -> Iterator[Appointment]:
    if season is None:
        return
    named = {"season": season.name}
    for name, words in (
        ("opens", _("%(season)s: writing begins", **named)),
        ("key_date", _("Human Rights Day")),
        ("closes", _("%(season)s: last day to write", **named)),
        ("reports_due", _("%(season)s: last day to tell us what you have sent", **named)),
    ):
        yield Appointment(identity("day", season.slug, name), getattr(season, name), words, home)


def _deadlines(seen: Shelf, today: date, url_of: Callable[[Case], str]) -> Iterator[Appointment]:
    for case in seen.cases.values():
        if not case.shareable(today):
            continue
        # Who has no earlier day of their own can be written for until the season's last, which stands there already.
        if case.deadline and not (case.season and case.deadline >= case.season.closes):
            words = _("Last day to write for %(name)s", name=case.name)
            yield Appointment(identity("deadline", case.slug), case.deadline, words, url_of(case))


def _event(appointment: Appointment, stamp: datetime, mark: str) -> Event:
    event = Event()
    event.add("uid", appointment.uid)
    event.add("dtstamp", stamp)
    event.add("dtstart", appointment.day)
    event.add("dtend", appointment.day + timedelta(days=1))
    event.add("summary", f"{mark}{appointment.summary}")
    event.add("url", appointment.url)
    event.add("transp", "TRANSPARENT")
    return event
