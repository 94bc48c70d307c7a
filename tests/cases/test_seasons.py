"""Seasons at the desk: made, copied, ordered, opened and closed, handed on and taken over."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.acting import text_of
from tests.factories import Cast
from tests.staffing import Colleague, colleague
from wfr import paths
from wfr.cases.drafting import begin_draft
from wfr.cases.importing import unpack
from wfr.cases.loading import load_folder
from wfr.cases.models import Case, CaseStatus, Season, Source, Story, StoryState
from wfr.cases.queries import find_season, today
from wfr.cases.seasons import SeasonPlan
from wfr.cases.stories import newest_words, published_words, write_story
from wfr.extensions import db, transaction
from wfr.pledges.simulating import load_demonstration
from wfr.staff.models import Actor, AuditEntry, Role

PLAN = {
    "slug": "2031",
    "name": "Letters of 2031",
    "opens": "2031-11-01",
    "key_date": "2031-12-10",
    "closes": "2031-12-31",
    "reports_due": "2032-01-31",
    "goal": "20000",
}


@pytest.fixture
def cora(app: Flask) -> Colleague:
    """A coordinator."""
    return colleague(app, "cora", Role.COORDINATOR)


def order_of(app: Flask) -> list[str]:
    with app.app_context():
        return [case.slug for case in find_season("test").cases]


def trail(app: Flask, what: str) -> list[AuditEntry]:
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry).where(AuditEntry.what == what)))


def test_a_season_is_made_and_changed(app: Flask, season: Cast, cora: Colleague) -> None:
    assert cora.send("/desk/seasons/new", **PLAN).headers["Location"] == "/desk/seasons/2031"
    page = cora.get("/desk/seasons/2031")
    assert page.status_code == 200 and "no cases yet" in text_of(page)
    assert cora.send("/desk/seasons/2031", **{**PLAN, "goal": "", "name": "Winter"}).status_code == 303
    with app.app_context():
        made = find_season("2031")
        assert (made.name, made.goal, made.opens) == ("Winter", None, date(2031, 11, 1))
    (changed,) = trail(app, "season.changed")
    assert changed.before["goal"] == 20000 and changed.after["goal"] is None
    assert "Winter" in text_of(cora.get("/desk/seasons"))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("closes", "2031-10-31", "closes before it opens"),
        ("key_date", "2033-01-01", "outside the season"),
        ("reports_due", "2031-12-30", "before the season has closed"),
        ("opens", "soon", "2026-12-10"),
        ("name", " ", "Give the season a name"),
        ("slug", "Winter 31", "Small letters"),
        ("slug", "import", "Small letters"),
        ("slug", "test", "already"),
        ("goal", "many", "integer"),
    ],
)
def test_a_season_that_cannot_be_is_not_made(
    app: Flask, season: Cast, cora: Colleague, field: str, value: str, words: str
) -> None:
    page = cora.send("/desk/seasons/new", **{**PLAN, field: value})
    assert page.status_code == 422 and words in text_of(page), text_of(page)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Season)) == 1


def test_two_seasons_are_never_open_at_once(season: Cast, cora: Colleague) -> None:
    plan = {**PLAN, "opens": season.season.closes.isoformat()}
    assert "Two seasons at once" in text_of(cora.send("/desk/seasons/new", **plan))


def test_a_copy_has_its_days_a_year_later(app: Flask, season: Cast, cora: Colleague) -> None:
    page = cora.get("/desk/seasons/new?from=test").get_data(as_text=True)
    with app.app_context():
        later = SeasonPlan.of(find_season("test")).a_year_later()
    for day in (later.opens, later.closes, later.reports_due):
        assert f'value="{day.isoformat()}"' in page
    assert cora.get("/desk/seasons/new?from=never").status_code == 404
    leap = SeasonPlan("Leap", date(2028, 2, 29), date(2028, 12, 10), date(2028, 12, 31), date(2029, 1, 31))
    assert leap.a_year_later().opens == date(2029, 2, 28)


def test_cases_are_put_in_order_by_buttons_and_all_at_once(app: Flask, season: Cast, cora: Colleague) -> None:
    path = "/desk/seasons/test/order"
    cora.send(path, move=f"{season.silent}:up")
    assert order_of(app) == [season.tiny, season.silent, season.long]
    cora.send(path, move=f"{season.tiny}:down")
    cora.send(path, move=f"{season.silent}:up")
    assert order_of(app) == [season.silent, season.tiny, season.long]
    cora.send(path, order=[season.long, season.tiny, season.silent])
    assert order_of(app) == [season.long, season.tiny, season.silent]
    assert len(trail(app, "season.ordered")) == 3
    for wrong in ({"order": [season.long]}, {"order": [season.long] * 3}, {"move": "nobody:up"}, {}):
        assert cora.send(path, **wrong).status_code == 409
    assert order_of(app) == [season.long, season.tiny, season.silent]


def test_a_season_is_opened_and_closed_before_its_time(app: Flask, season: Cast, cora: Colleague) -> None:
    assert cora.send("/desk/seasons/test/open").status_code == 409
    assert cora.send("/desk/seasons/test/close").status_code == 303
    with app.app_context():
        assert find_season("test").closes == today()
    day = today() + timedelta(days=5)
    plan = {**PLAN, "opens": day, "key_date": day, "closes": day, "reports_due": day}
    assert cora.send("/desk/seasons/new", **plan).status_code == 303
    assert cora.send("/desk/seasons/2031/close").status_code == 409
    page = cora.send("/desk/seasons/2031/open")
    assert page.status_code == 409 and "Two seasons" in text_of(page)
    assert trail(app, "season.closed")[0].after["closes"] == today().isoformat()


def test_seasons_are_the_coordinators(app: Flask, season: Cast) -> None:
    rosa = colleague(app, "rosa", Role.REVIEWER)
    for path in ("/desk/seasons", "/desk/seasons/new", "/desk/seasons/test", "/desk/seasons/import"):
        assert rosa.get(path).status_code == 403
    for path in ("new", "test", "test/order", "test/open", "test/close", "test/export", "import"):
        assert rosa.send(f"/desk/seasons/{path}").status_code == 403


def test_handing_on_and_taking_over_ask_for_a_fresh_code(app: Flask, season: Cast) -> None:
    stale = colleague(app, "cora", Role.COORDINATOR, fresh=False)
    assert stale.send("/desk/seasons/test/export").status_code == 403
    assert "fresh code" in text_of(stale.send("/desk/seasons/import"))


def take_over(client: Colleague, data: bytes) -> TestResponse:
    return client.send("/desk/seasons/import", season=(io.BytesIO(data), "season.zip"))


def test_a_season_goes_out_and_comes_back_changed(app: Flask, season: Cast, cora: Colleague) -> None:
    with app.app_context():
        for case in db.session.scalars(select(Case)):
            case.sources = [Source(tag=f"Z{n}", title="a test", checked_on=date(2026, 1, n)) for n in (1, 2, 3)]
        db.session.commit()
    answer = cora.send("/desk/seasons/test/export")
    assert answer.mimetype == "application/zip" and "season-test.zip" in answer.headers["Content-Disposition"]
    assert trail(app, "season.exported")
    files = unpack(answer.data)
    assert "Said so already" in text_of(take_over(cora, answer.data))
    files[f"cases/{season.tiny}.toml"] = files[f"cases/{season.tiny}.toml"].replace(b"Set her free", b"Free her")
    page = take_over(cora, packed(files))
    assert page.status_code == 200 and "Drafts for known cases" in text_of(page)
    files[f"cases/{season.tiny}.toml"] += b'\n[nonsense]\nx = "y"\n'
    page = take_over(cora, packed(files))
    assert page.status_code == 422 and "nonsense is no key of this file" in text_of(page)


def packed(files: dict[str, bytes]) -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return room.getvalue()


def test_what_is_no_season_is_refused_in_words(cora: Colleague) -> None:
    assert "Choose a ZIP file" in text_of(cora.send("/desk/seasons/import"))
    assert "This is no ZIP of a season" in text_of(take_over(cora, b"GIF89a"))
    assert "season.toml" in text_of(take_over(cora, packed({"stories.toml": b""})))


def test_the_demonstration_leaves_alone_what_the_desk_has_changed(app: Flask) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        loaded = SeasonPlan.of(find_season("2020"))
        story = db.session.scalars(select(Story).limit(1)).one()
        words, key = published_words(story), (story.slug, story.language)
    cora = colleague(app, "cora", Role.COORDINATOR)
    plan = {name: getattr(loaded, name) for name in SeasonPlan.__slots__ if getattr(loaded, name) is not None}
    cora.send("/desk/seasons/2020", **{**plan, "name": "Our own name"})
    cora.send("/desk/seasons/2020/order", move="jani-silva:up")
    with app.app_context():
        by = Actor(cora.account_id)
        order = [case.slug for case in find_season("2020").cases]
        begin_draft(by=by, slug="jani-silva")
        jani = db.session.scalars(select(Case).where(Case.slug == "jani-silva")).one()
        jani.name, jani.status = "J. S.", CaseStatus.PAUSED
        db.session.commit()
        write_story(by=by, key=key, words=replace(words, title="Another title"))
        write_story(by=by, key=("new", "en"), words=words, is_new=True)
        load_demonstration(paths.DEMO, simulated=False)
        found = find_season("2020")
        assert found.name == "Our own name" and [case.slug for case in found.cases] == order
        jani = db.session.scalars(select(Case).where(Case.slug == "jani-silva")).one()
        assert (jani.name, jani.status) == ("J. S.", CaseStatus.PAUSED)
        stories = {(story.slug, story.language): story for story in db.session.scalars(select(Story))}
        assert stories[("new", "en")].state == StoryState.DRAFT
        assert newest_words(stories[key]).title == "Another title" and stories[key].title == words.title


@pytest.mark.parametrize("by_hand", [False, True])
def test_the_demonstrations_days_move_until_the_desk_sets_them(app: Flask, by_hand: bool) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        season = find_season("2020")
        if by_hand:
            season.closes -= timedelta(days=1)
            db.session.commit()
        then = season.opens
        with transaction() as session:
            load_folder(session, paths.DEMO, today() + timedelta(days=2))
        assert find_season("2020").opens == then + timedelta(days=0 if by_hand else 2)
