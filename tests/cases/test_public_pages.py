"""The public pages: the same for everybody, whole, and honest about what can be done today."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.acting import act, text_of, ticket_in
from tests.factories import Cast, make_season
from tests.linting import LintingClient
from wfr.cases.models import Case, CaseStatus
from wfr.cases.queries import shelf, today
from wfr.extensions import db

PAGES = ("/", "/stories", "/how-we-count", "/privacy", "/your-sheet")


def set_status(app: Flask, slug: str, status: CaseStatus) -> None:
    with app.app_context():
        db.session.execute(update(Case).where(Case.slug == slug).values(status=status))
        db.session.commit()
    forget_everything(app)


def forget_everything(app: Flask) -> None:
    """Let this process know at once what it would know within four seconds."""
    app.extensions["wfr.kept"].forget("shelf")
    app.extensions["wfr.kept"].forget("board")
    app.extensions["wfr.page_cache"].forget()


@pytest.mark.parametrize("path", PAGES)
def test_every_public_page_is_whole_with_and_without_a_season(app: Flask, visitor: LintingClient, path: str) -> None:
    assert visitor.get(path).status_code == 200
    with app.app_context():
        make_season()
    forget_everything(app)
    assert visitor.get(path).status_code == 200


def test_an_empty_installation_says_what_to_do_next(visitor: LintingClient) -> None:
    assert "wfr demo load" in text_of(visitor.get("/"))


@pytest.mark.parametrize("who", ["tiny", "long", "silent"])
def test_every_case_has_its_page_and_its_writing_tables(visitor: LintingClient, season: Cast, who: str) -> None:
    slug = getattr(season, who)
    page = visitor.get(f"/cases/{slug}")
    assert page.status_code == 200
    for kind in ("letter", "email", "post", "solidarity"):
        offered = f'/cases/{slug}/{kind}"' in page.get_data(as_text=True)
        assert visitor.get(f"/cases/{slug}/{kind}").status_code == (200 if offered else 410)


def test_source_tags_are_never_shown(visitor: LintingClient, season: Cast) -> None:
    for path in ("/", f"/cases/{season.tiny}", "/stories", f"/cases/{season.tiny}/letter"):
        assert "[Z" not in text_of(visitor.get(path))


def test_a_kind_that_is_not_offered_says_why(visitor: LintingClient, season: Cast) -> None:
    assert "There is no postal address." in text_of(visitor.get(f"/cases/{season.silent}"))


def test_public_pages_set_no_cookie_and_may_be_shared(visitor: LintingClient, season: Cast) -> None:
    page = visitor.get(f"/cases/{season.tiny}")
    assert "Set-Cookie" not in page.headers
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["CDN-Cache-Control"] == "max-age=2"
    assert "Cookie" not in page.headers.get("Vary", "")


def test_a_page_that_has_not_changed_is_answered_with_304(visitor: LintingClient, season: Cast) -> None:
    etag = visitor.get("/tally").headers["ETag"]
    for _ in range(2):
        again = visitor.get("/tally", headers={"If-None-Match": etag})
        assert (again.status_code, again.data) == (304, b"")


def test_pages_with_a_ticket_are_kept_by_nobody(visitor: LintingClient, season: Cast) -> None:
    pages = [visitor.get(f"/cases/{season.tiny}/letter") for _ in range(2)]
    assert pages[0].headers["Cache-Control"] == "no-store"
    assert pages[0].data != pages[1].data


def test_unknown_addresses_are_404(visitor: LintingClient, season: Cast) -> None:
    for path in ("/cases/nobody", "/cases/nobody/letter", "/nowhere", f"/cases/{season.tiny}/telegram"):
        assert visitor.get(path).status_code == 404


def test_drafts_are_seen_by_nobody(app: Flask, visitor: LintingClient, season: Cast) -> None:
    set_status(app, season.tiny, CaseStatus.DRAFT)
    assert visitor.get(f"/cases/{season.tiny}").status_code == 404
    assert "Ada Vale" not in text_of(visitor.get("/"))


def test_a_paused_case_can_be_read_and_not_acted_on(app: Flask, visitor: LintingClient, season: Cast) -> None:
    set_status(app, season.tiny, CaseStatus.PAUSED)
    assert visitor.get(f"/cases/{season.tiny}").status_code == 200
    assert visitor.get(f"/cases/{season.tiny}/letter").status_code == 410
    assert visitor.post(f"/cases/{season.tiny}/letter", data={}).status_code == 410


def test_a_withdrawn_case_is_gone_and_its_page_names_nobody(app: Flask, visitor: LintingClient, season: Cast) -> None:
    assert "Ada Vale" in text_of(visitor.get("/"))
    set_status(app, season.tiny, CaseStatus.WITHDRAWN)
    for path in (f"/cases/{season.tiny}", f"/cases/{season.tiny}/letter", f"/cases/{season.tiny}/already"):
        page = visitor.get(path)
        assert page.status_code == 410
        assert "Ada" not in page.get_data(as_text=True).replace(season.tiny, "")
    assert "Ada Vale" not in text_of(visitor.get("/"))
    assert season.tiny not in visitor.get("/tally.json").get_data(as_text=True)


def test_a_closed_season_keeps_its_pages_and_closes_its_forms(app: Flask, visitor: LintingClient) -> None:
    with app.app_context():
        cast = make_season(opens=today() - timedelta(days=60), closes=today() - timedelta(days=1))
    for path in (*PAGES, f"/cases/{cast.tiny}"):
        assert visitor.get(path).status_code == 200
    for path in (f"/cases/{cast.tiny}/letter", f"/cases/{cast.tiny}/already"):
        assert visitor.get(path).status_code == 410
    assert "<form" not in visitor.get("/").get_data(as_text=True)


def test_posted_stays_open_until_the_reports_are_due(app: Flask, visitor: LintingClient, season: Cast) -> None:
    ticket = ticket_in(act(visitor, season.tiny))
    with app.app_context():
        kept_season = db.session.scalar(select(Case)).season
        kept_season.closes = today() - timedelta(days=1)
        db.session.commit()
    forget_everything(app)
    assert visitor.post("/posted", data={"ticket": ticket}).status_code == 303
    with app.app_context():
        kept_season = db.session.scalar(select(Case)).season
        kept_season.reports_due = today() - timedelta(days=1)
        db.session.commit()
    forget_everything(app)
    assert visitor.post("/posted", data={"ticket": ticket}).status_code == 410


def test_a_season_that_is_coming_shows_its_cases_without_forms(app: Flask, visitor: LintingClient) -> None:
    with app.app_context():
        cast = make_season(opens=today() + timedelta(days=5), closes=today() + timedelta(days=40))
    assert visitor.get("/").status_code == 200
    assert visitor.get(f"/cases/{cast.tiny}").status_code == 200
    assert visitor.get(f"/cases/{cast.tiny}/letter").status_code == 410


def test_an_expired_case_takes_no_more_letters(app: Flask, visitor: LintingClient, season: Cast) -> None:
    with app.app_context():
        db.session.execute(update(Case).where(Case.slug == season.tiny).values(deadline=today() - timedelta(days=1)))
        db.session.commit()
    assert visitor.get(f"/cases/{season.tiny}").status_code == 200
    assert visitor.get(f"/cases/{season.tiny}/letter").status_code == 410
    assert visitor.post(f"/cases/{season.tiny}/letter/print", data={}).status_code == 410


def test_the_order_of_the_stamps_turns_every_day(app: Flask, season: Cast) -> None:
    with app.test_request_context():
        days = [[case.slug for case in shelf().of_the_day(today() + timedelta(days=n))] for n in range(3)]
    assert {day[0] for day in days} == {season.tiny, season.long, season.silent}
    assert all(sorted(day) == sorted(days[0]) for day in days)


def test_the_public_json_says_exactly_what_the_ledger_says(app: Flask, visitor: LintingClient, season: Cast) -> None:
    act(visitor, season.tiny, "letter")
    forget_everything(app)
    answer = visitor.get("/tally.json")
    figures = answer.get_json()
    assert set(figures) == {"as_of", "total", "cases", "simulated", "corrections", "parcels"}
    assert figures["as_of"].endswith("Z")
    assert figures["total"]["letter"] == {"pledged": 1, "taken": 0}
    assert figures["cases"][season.tiny]["letter"] == {"pledged": 1, "taken": 0}
    assert figures["simulated"] == 0
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age=1" in answer.headers["Cache-Control"]
