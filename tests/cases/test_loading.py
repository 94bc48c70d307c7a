"""Loading the demonstration: idempotent, stamped for ever, open today, and true to its own rules."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.factories import make_season
from tests.linting import LintingClient
from wfr import paths
from wfr.cases.loading import season_dates
from wfr.cases.models import Case, CaseText, Installation, Kind, Season, SeasonState, Source, Target
from wfr.cases.season_files import CannotLoad, SeasonFile
from wfr.extensions import db
from wfr.pledges.models import Pledge
from wfr.pledges.simulating import PAST_PLEDGES, load_demonstration, replay
from wfr.pledges.tallying import find_drift, read_figures
from wfr.text import source_tags

PLAN = SeasonFile(
    slug="plan",
    name="A plan",
    opens_days_before=22,
    closes_days_after_key_date=21,
    reports_days_after_close=30,
)


def test_loading_twice_changes_nothing(app: Flask) -> None:
    with app.app_context():
        assert load_demonstration(paths.DEMO) == PAST_PLEDGES
        counts = [
            db.session.scalar(select(func.count()).select_from(table)) for table in (Case, CaseText, Target, Pledge)
        ]
        assert load_demonstration(paths.DEMO) == 0
        again = [
            db.session.scalar(select(func.count()).select_from(table)) for table in (Case, CaseText, Target, Pledge)
        ]
        assert counts == again and counts[0] == 7
        assert find_drift(db.session) == []


def test_every_simulated_pledge_says_so(app: Flask) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO)
        assert db.session.scalar(select(func.count()).where(Pledge.simulated)) == PAST_PLEDGES
        assert sum(figures.simulated for figures in read_figures(db.session).values()) == PAST_PLEDGES


def test_empty_leaves_the_simulated_pledges_out(app: Flask) -> None:
    with app.app_context():
        assert load_demonstration(paths.DEMO, simulated=False) == 0
        assert db.session.scalar(select(func.count()).select_from(Pledge)) == 0


def test_a_database_with_real_cases_is_refused_and_left_alone(app: Flask) -> None:
    with app.app_context():
        make_season()
        with pytest.raises(CannotLoad):
            load_demonstration(paths.DEMO)
        assert db.session.get(Installation, 1) is None
        assert db.session.scalar(select(func.count()).select_from(Case)) == 3


def test_nothing_is_simulated_in_a_real_database(app: Flask) -> None:
    with app.app_context(), pytest.raises(CannotLoad):
        next(replay(60))


def test_replay_acts_through_the_ledger(app: Flask) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        pledges = replay(60_000)
        for _ in range(5):
            assert next(pledges).simulated
        assert find_drift(db.session) == []
        assert sum(figures.pledged for figures in read_figures(db.session).values()) == 5


def test_nothing_is_simulated_for_an_urgent_action(app: Flask) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        spare, *others = db.session.scalars(select(Case))
        for case in others:
            case.season_id = None
        db.session.commit()
        pledges = replay(60_000)
        assert {next(pledges).case_id for _ in range(12)} == {spare.id}


@pytest.mark.parametrize(
    "day", [date(2026, 11, 21), date(2026, 12, 10), date(2026, 12, 31), date(2027, 1, 1), date(2027, 6, 1)]
)
def test_the_demonstration_is_open_on_whatever_day_it_is_loaded(day: date) -> None:
    season = Season(**season_dates(PLAN, day))
    assert season.state(day) is SeasonState.OPEN
    assert (season.key_date.month, season.key_date.day) == (12, 10)


@pytest.fixture
def own_demo(tmp_path: Path) -> Path:
    """A copy of the demonstration that a test may spoil."""
    return Path(shutil.copytree(paths.DEMO, tmp_path / "demo"))


@pytest.mark.parametrize("spoiled", ["{own words}", "{}", "{name}", "{"])
def test_an_unknown_placeholder_is_an_error_when_loading(app: Flask, own_demo: Path, spoiled: str) -> None:
    file = own_demo / "cases" / "jani-silva.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("{own_words}", spoiled, 1), encoding="utf-8")
    with app.app_context():
        with pytest.raises(CannotLoad, match="jani-silva"):
            load_demonstration(own_demo)
        assert db.session.scalar(select(func.count()).select_from(Case)) == 0


def test_a_broken_file_is_named(app: Flask, own_demo: Path) -> None:
    (own_demo / "cases" / "jani-silva.toml").write_text("slug = ", encoding="utf-8")
    with app.app_context(), pytest.raises(CannotLoad, match="jani-silva"):
        load_demonstration(own_demo)


def test_every_factual_sentence_of_the_demonstration_has_a_known_source(app: Flask) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        for case in db.session.scalars(select(Case)):
            known = set(db.session.scalars(select(Source.tag).where(Source.case_id == case.id)))
            text = case.text("en")
            for part in (text.story, text.ask, *(update.text for update in case.updates)):
                assert set(source_tags(part)) <= known, case.slug
            for paragraph in text.story.split("\n\n"):
                assert paragraph.rstrip().endswith("]"), f"{case.slug}: {paragraph}"


def test_every_kind_is_offered_or_says_why_not(app: Flask) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        for case in db.session.scalars(select(Case)):
            for kind in Kind:
                assert case.offers(kind) != (kind.value in case.text("en").why_not), (case.slug, kind)
                assert not case.offers(kind) or case.target(kind), (case.slug, kind)


def test_no_address_of_the_demonstration_can_be_reached_by_mail(app: Flask) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        for address in db.session.scalars(select(Target.email).where(Target.email.is_not(None))):
            assert re.fullmatch(r"[a-z.-]+@example\.org", address)


def test_every_page_of_the_demonstration_says_that_it_is_one(app: Flask, visitor: LintingClient) -> None:
    with app.app_context():
        load_demonstration(paths.DEMO, simulated=False)
        slugs = list(db.session.scalars(select(Case.slug)))
    pages = ["/", "/stories", "/how-we-count", "/privacy", "/several", "/your-sheet"]
    for slug in slugs:
        pages += [f"/cases/{slug}", f"/cases/{slug}/email", f"/cases/{slug}/post"]
    for path in pages:
        page = visitor.get(path)
        assert page.status_code == 200, path
        assert "Demonstration" in page.get_data(as_text=True), path
