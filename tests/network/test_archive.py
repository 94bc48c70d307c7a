"""The archive and the feed of Urgent Actions: everything that was issued, found by year, country, concern and word."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from tests.acting import text_of
from tests.api.test_feeds import ATOM, entries, read
from tests.linting import LintingClient
from tests.network.urgent import ARABIC, LONG, forget, issue, make_people, make_urgent, publish_words, set_day
from wfr.cases.models import Case, CaseStatus
from wfr.cases.queries import today
from wfr.extensions import db
from wfr.network import issuing
from wfr.network.interests import Concern
from wfr.network.models import UrgentIssue
from wfr.network.searching import PER_PAGE, Wanted, archive, folded, offered

Seek = Callable[..., list[str]]


@pytest.fixture
def seek(app: Flask, visitor: LintingClient) -> Seek:
    """Four issued Urgent Actions, and a function that asks the archive's page and returns whom it names."""
    with app.app_context():
        people = make_people()
        make_urgent(people, "ada-vale", "Ada Vale", number="UA 12/26")
        make_urgent(people, "long", LONG, country="AR", number="UA 13/26", concern=Concern.EVICTION)
        make_urgent(people, "nassima", ARABIC, country="SA", number="UA 100%/26", concern=Concern.WOMEN)
        make_urgent(people, "omar", "Omar Sand", number="UA 4_5/25")
        for slug in ("ada-vale", "long", "nassima", "omar"):
            issue(people.reviewer, slug)
        set_day("omar", date(2025, 12, 31))
        set_day("long", date(2026, 1, 1))
    forget(app)

    def ask(**query: Any) -> list[str]:
        page = visitor.get("/urgent-actions/archive", query_string=query)
        assert page.status_code == 200 and page.headers["CDN-Cache-Control"] == "max-age=2"
        found = re.findall(r'href="/urgent-actions/([a-z_-]+)(?:/\d+)?">', page.get_data(as_text=True))
        return sorted(set(found) - {"archive"})

    return ask


def test_the_archive_is_narrowed_by_year_country_concern_and_words(seek: Seek) -> None:
    assert seek() == ["ada-vale", "long", "nassima", "omar"]
    assert seek(year=2025) == ["omar"] and "omar" not in seek(year=2026) and seek(year=1999) == []
    assert "long" in seek(year=2026)
    assert seek(country="AR") == ["long"] and seek(country="DE") == []
    assert seek(concern="women") == ["nassima"] and seek(concern="women", country="AR") == []
    assert seek(q="vale") == seek(q="  ADA   vale ") == ["ada-vale"] and seek(q="ada longer") == []
    assert seek(q="maria fernandez TIERRA") == seek(q="María") == ["long"]
    assert seek(q="argentina eviction") == ["long"] and seek(q="UA 12/26") == ["ada-vale"]
    assert seek(q="نسيمة") == ["nassima"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_typed_is_searched_and_never_obeyed(app: Flask, visitor: LintingClient, seek: Seek) -> None:
    assert seek(q="100%") == ["nassima"] and seek(q="4_5") == ["omar"]
    assert seek(q="%") == ["nassima"] and seek(q="_") == ["omar"] and seek(q="\\") == []
    assert seek(q="a%e") == [] and seek(q="' OR 1=1 --") == [] and seek(q="12\\/26") == []
    whole = ["ada-vale", "long", "nassima", "omar"]
    for strange in ({"year": "x"}, {"year": "-5"}, {"year": 10**30}, {"page": "0"}, {"page": "-9"}, {"page": 10**30},
                    {"concern": "nothing"}, {"q": "\x00"}, {"q": " "}, {"page": 99}):  # fmt: skip
        assert seek(**strange) == whole, strange
    page = visitor.get("/urgent-actions/archive", query_string={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.get_data(as_text=True) and "Nothing was found" in text_of(page)
    assert seek(q="x" * 5000) == [] and seek(q="a " * 5000) == whole


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_what_is_there_is_offered_to_narrow_by(app: Flask, visitor: LintingClient, seek: Seek) -> None:
    with app.app_context():
        assert offered().years == [2026, 2025] if today().year == 2026 else 2025 in offered().years
        assert offered().countries == ["AR", "SA", "TG"]
        assert offered().concerns == ["eviction", "expression", "women"]
        db.session.query(Case).filter(Case.slug == "nassima").one().status = CaseStatus.WITHDRAWN
        db.session.commit()
    forget(app)
    with app.app_context():
        assert offered().countries == ["AR", "TG"]
    assert seek() == ["ada-vale", "long", "omar"] and seek(q="نسيمة") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_archive_has_thirty_issues_a_page(app: Flask, visitor: LintingClient) -> None:
    with app.app_context():
        people = make_people()
        make_urgent(people)
        issue(people.reviewer, "ada-vale")
        first = db.session.query(UrgentIssue).one()
        for ordinal in range(2, PER_PAGE + 12):
            again = {"action_id": first.action_id, "words": first.words, "document": first.document}
            moment = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=ordinal)
            db.session.add(UrgentIssue(**again, ordinal=ordinal, issued_at=moment, issued_on=today()))
        db.session.commit()
        pages = [archive(Wanted(page=page)) for page in (1, 2, 3)]
    assert [len(page.found) for page in pages] == [30, 11, 11] and pages[0].pages == 2 and pages[2].number == 2
    assert [each.newest for each in pages[0].found[:2]] == [True, False] and pages[0].total == 41
    forget(app)
    html = visitor.get("/urgent-actions/archive?q=poem").get_data(as_text=True)
    assert 'rel="next" href="/urgent-actions/archive?q=poem&amp;page=2"' in html and 'rel="prev"' not in html
    html = visitor.get("/urgent-actions/archive?q=poem&page=2").get_data(as_text=True)
    assert 'rel="prev" href="/urgent-actions/archive?q=poem"' in html and 'rel="next"' not in html


def test_accents_and_capitals_do_not_hide_a_word() -> None:
    assert folded("MARÍA Straße ÉLYSÉE") == folded("maria strasse elysee") == "maria strasse elysee"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_feed_has_issues_and_outcomes_newest_first_with_identities_that_stay(
    app: Flask, visitor: LintingClient
) -> None:
    with app.app_context():
        people = make_people()
        make_urgent(people, number="UA 12/26")
        issue(people.reviewer, "ada-vale")
        forget(app)
    before = read(visitor.get("/urgent-actions.atom").data)
    found = entries(before)
    assert set(found) == {"First UA 12/26: Ada Vale"}
    first = found["First UA 12/26: Ada Vale"]
    summary = first.findtext(f"{ATOM}summary") or ""
    assert summary.startswith("Held for a poem about a river Write before ") and "Z1" not in summary
    assert "Set her free." in (first.findtext(f"{ATOM}content") or "")
    assert first.find(f"{ATOM}link").get("href") == "http://127.0.0.1:8000/urgent-actions/ada-vale"  # type: ignore[union-attr]
    with app.app_context():
        case = db.session.query(Case).one()
        case.texts[0].headline = "Moved"
        db.session.commit()
        publish_words(people, case)
        issuing.begin_issue(by=people.writer, slug="ada-vale")
        issue(people.reviewer, "ada-vale", 2)
    forget(app)
    after = read(visitor.get("/urgent-actions.atom").data)
    assert [entry.findtext(f"{ATOM}title") for entry in after.iter(f"{ATOM}entry")] == [
        "Second UA 12/26: Ada Vale",
        "First UA 12/26: Ada Vale",
    ]
    old = entries(after)["First UA 12/26: Ada Vale"]
    assert old.findtext(f"{ATOM}id") == first.findtext(f"{ATOM}id")
    assert "It has been updated since." in (old.findtext(f"{ATOM}content") or "")
    main = read(visitor.get("/feed.atom").data)
    assert main.findtext(f"{ATOM}id") != after.findtext(f"{ATOM}id")
    assert _day(entries(main)["Ada Vale"]) == today().isoformat()


def _day(entry: ET.Element) -> str:
    return (entry.findtext(f"{ATOM}updated") or "")[:10]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "values",
    [
        {"feeds": False},
        {"status": CaseStatus.WITHDRAWN},
        {"status": CaseStatus.PAUSED},
        {"consent_ends": date(2020, 1, 1)},
    ],
    ids=["feeds", "withdrawn", "paused", "consent"],
)
def test_the_feed_has_only_what_others_may_be_shown(app: Flask, visitor: LintingClient, values: dict[str, Any]) -> None:
    with app.app_context():
        people = make_people()
        make_urgent(people)
        issue(people.reviewer, "ada-vale")
        case = db.session.query(Case).one()
        for name, value in values.items():
            setattr(case, name, value)
        db.session.commit()
    forget(app)
    answer = visitor.get("/urgent-actions.atom")
    assert answer.status_code == 200 and b"Ada" not in answer.data and not entries(read(answer.data))


def test_a_number_that_no_column_holds_leads_nowhere(visitor: LintingClient, seek: Seek) -> None:
    assert visitor.get(f"/urgent-actions/ada-vale/{10**30}").status_code == 404
