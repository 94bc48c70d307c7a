"""The Atom feed and the calendar: valid, stable, and only what others may be shown."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from icalendar import Calendar, Event

from tests.factories import Cast, make_case
from tests.linting import LintingClient
from wfr.api.feeds import ENTRIES, Entry, Masthead, atom_feed, identity
from wfr.cases.models import Case, CaseStatus, CaseUpdate, Installation, Season
from wfr.cases.queries import today
from wfr.extensions import db

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ATOM = "{http://www.w3.org/2005/Atom}"
MASTHEAD = Masthead("Letters", "The Poets", "https://letters.example/", "https://letters.example/feed.atom", "en")
HOSTILE = 'A "poem" & <script>alert(1)</script> ]]> \x0b\x00\ufffe \U0001f58b نسيمة'


def read(document: bytes) -> ET.Element:
    """Parse a feed, and hold it against what RFC 4287 asks of every feed."""
    feed = ET.fromstring(document)  # noqa: S314 -- our own
    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *feed.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert (element.findtext(f"{ATOM}id") or "").startswith("urn:uuid:")
        for name in ("updated", "published"):
            for moment in element.findall(f"{ATOM}{name}"):
                assert datetime.fromisoformat(moment.text or "") <= datetime.now(UTC)
        relations = [(link.get("rel"), link.get("type")) for link in element.findall(f"{ATOM}link")]
        assert len(set(relations)) == len(relations) and ("alternate", "text/html") in relations
    assert len(feed.findall(f"{ATOM}author")) == 1
    ids = [element.text for element in feed.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids)
    return feed


def entries(feed: ET.Element) -> dict[str, ET.Element]:
    return {entry.findtext(f"{ATOM}title") or "": entry for entry in feed.iter(f"{ATOM}entry")}


def change(app: Flask, slug: str, **values: Any) -> None:
    with app.app_context():
        case = db.session.query(Case).filter(Case.slug == slug).one()
        for name, value in values.items():
            setattr(case, name, value)
        db.session.commit()
        app.extensions["wfr.kept"].forget("shelf")
    app.extensions["wfr.page_cache"].forget()


def test_the_feed_has_cases_and_their_news_newest_first(app: Flask, visitor: LintingClient, season: Cast) -> None:
    answer = visitor.get("/feed.atom")
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    assert answer.headers["CDN-Cache-Control"] == "max-age=2" and "Set-Cookie" not in answer.headers
    feed = read(answer.data)
    assert feed.find(f"{ATOM}link[@rel='self']").get("href") == "http://127.0.0.1:8000/feed.atom"  # type: ignore[union-attr]
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Write for Rights"
    found = entries(feed)
    assert {"Ada Vale", "Good news: Ada Vale", "Omar Sand"} <= set(found)
    days = [entry.findtext(f"{ATOM}updated") or "" for entry in feed.iter(f"{ATOM}entry")]
    assert days == sorted(days, reverse=True) and feed.findtext(f"{ATOM}updated") == days[0]
    case, news = found["Ada Vale"], found["Good news: Ada Vale"]
    assert case.findtext(f"{ATOM}summary") == "Held for a poem about a river"
    content = case.findtext(f"{ATOM}content") or ""
    assert "<strong>taken</strong>" in content and "Z1" not in content
    assert content.startswith("<p><em>As it stood in November 2020</em></p>")
    assert case.find(f"{ATOM}content").get("type") == "html"  # type: ignore[union-attr]
    assert news.findtext(f"{ATOM}updated") == "2021-06-30T00:00:00Z"
    assert "<p>end of June 2021</p>" in (news.findtext(f"{ATOM}content") or "")


def test_an_empty_feed_is_a_feed(visitor: LintingClient) -> None:
    assert entries(read(visitor.get("/feed.atom").data)) == {}


def test_hostile_words_and_what_xml_cannot_hold_do_not_break_the_feed(app: Flask) -> None:
    entry = Entry(identity("x"), HOSTILE, "https://letters.example/?a=1&b=<2>", today(), f"<p>{HOSTILE}</p>", HOSTILE)
    feed = read(atom_feed(MASTHEAD, [entry]))
    (title,) = entries(feed)
    assert title == re.sub("[\x0b\x00\ufffe]", "", HOSTILE)
    assert feed.find(f"{ATOM}entry/{ATOM}link").get("href") == "https://letters.example/?a=1&b=<2>"  # type: ignore[union-attr]


def test_an_entry_keeps_its_identity_when_its_words_and_its_row_change(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    before = entries(read(visitor.get("/feed.atom").data))
    anew = [
        CaseUpdate(dated=date(2021, 6, 30), kind="good_news", text="She is home at last."),
        CaseUpdate(dated=date(2021, 6, 30), kind="outcome", text="The sentence was quashed."),
    ]
    change(app, season.tiny, updates=anew, name="Ada Vale of Lomé")
    after = entries(read(visitor.get("/feed.atom").data))
    assert "Outcome: Ada Vale of Lomé" in after

    def identity_of(found: dict[str, ET.Element], title: str) -> str | None:
        return found[title].findtext(f"{ATOM}id")

    assert identity_of(before, "Ada Vale") == identity_of(after, "Ada Vale of Lomé")
    assert identity_of(before, "Good news: Ada Vale") == identity_of(after, "Good news: Ada Vale of Lomé")


@pytest.mark.parametrize(
    "changes",
    [{"feeds": False}, {"status": CaseStatus.PAUSED}, {"status": CaseStatus.WITHDRAWN}],
    ids=["no consent", "paused", "withdrawn"],
)
def test_what_others_may_not_be_shown_is_in_no_feed_and_no_calendar(
    app: Flask, visitor: LintingClient, season: Cast, changes: dict[str, Any]
) -> None:
    change(app, season.tiny, deadline=today() + timedelta(days=3))
    for path in ("/feed.atom", "/calendar.ics"):
        assert "Ada Vale" in visitor.get(path).get_data(as_text=True)
    change(app, season.tiny, **changes)
    for path in ("/feed.atom", "/calendar.ics"):
        assert "Ada Vale" not in visitor.get(path).get_data(as_text=True)


def test_a_feed_has_the_newest_entries_and_nothing_of_tomorrow(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    days = [today() - timedelta(days=number) for number in range(-3, ENTRIES + 10)]
    news = [CaseUpdate(dated=day, text=f"News of {day.isoformat()}.") for day in days]
    change(app, season.tiny, updates=news)
    document = visitor.get("/feed.atom").get_data(as_text=True)
    assert len(list(read(document.encode()).iter(f"{ATOM}entry"))) == ENTRIES
    assert f"News of {today().isoformat()}" in document
    assert f"News of {(today() + timedelta(days=1)).isoformat()}" not in document
    assert f"News of {days[-1].isoformat()}" not in document


def test_a_case_of_a_season_to_come_appears_on_its_first_day(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context():
        stored = db.session.query(Season).one()
        stored.opens = today() + timedelta(days=1)
        make_case(None, "urgent", "Rosa Field")
        db.session.commit()
    names = set(entries(read(visitor.get("/feed.atom").data)))
    assert "Ada Vale" not in names and {"Rosa Field", "Good news: Ada Vale"} <= names


def events(document: bytes) -> dict[str, Event]:
    """Parse a calendar and hold it against what RFC 5545 asks of every event."""
    calendar = Calendar.from_ical(document)
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH") and calendar["PRODID"]
    found = {str(event["SUMMARY"]): event for event in calendar.walk("VEVENT")}
    for event in found.values():
        assert event["DTSTAMP"].dt.utcoffset() == timedelta() and type(event["DTSTART"].dt) is date
        assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(days=1)
        assert event["URL"].startswith("http://127.0.0.1:8000/")
    assert len({str(event["UID"]) for event in found.values()}) == len(found)
    assert all(len(line) <= 75 for line in document.split(b"\r\n"))
    return found


def test_a_demonstration_says_so_in_the_calendar_and_on_each_page(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    with app.app_context():
        db.session.merge(Installation(id=1, demonstration=True))
        db.session.commit()
        app.extensions["wfr.kept"].forget("shelf")
    found = events(visitor.get("/calendar.ics").data)
    assert found and all(name.startswith("[Demonstration] ") for name in found)
    words = "Demonstration: real cases of 2020 and an invented one."
    assert words in visitor.get("/").get_data(as_text=True)


def test_the_calendar_has_the_seasons_days_and_earlier_deadlines(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    deadline = today() + timedelta(days=3)
    change(app, season.long, deadline=deadline)
    answer = visitor.get("/calendar.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    found = events(answer.data)
    with app.app_context():
        stored = db.session.query(Season).one()
        expected = {
            "Write for Rights: writing begins": stored.opens,
            "Write for Rights: last day to write": stored.closes,
            "Human Rights Day": stored.key_date,
            "Write for Rights: last day to tell us what you have sent": stored.reports_due,
            "Last day to write for María del Rosario Fernández de la Vega and the People of Tierra Alta": deadline,
        }
    assert {name: event["DTSTART"].dt for name, event in found.items()} == expected
    assert stored.key_date.month == 12 and stored.key_date.day == 10


def test_an_event_keeps_its_uid_when_its_day_changes(app: Flask, visitor: LintingClient, season: Cast) -> None:
    seen = []
    for days in (3, 4):
        change(app, season.tiny, deadline=today() + timedelta(days=days))
        seen.append(events(visitor.get("/calendar.ics").data)["Last day to write for Ada Vale"])
    assert seen[0]["UID"] == seen[1]["UID"] and seen[0]["DTSTART"].dt != seen[1]["DTSTART"].dt


def test_without_a_season_there_is_no_calendar(visitor: LintingClient) -> None:
    assert visitor.get("/calendar.ics").status_code == 404
