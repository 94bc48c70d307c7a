"""The wall: a class's number for the projector, and what of it moves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests.acting import text_of
from tests.drives.driving import code_for, join, make_drive
from tests.drives.test_joining import withdraw
from tests.factories import Cast
from wfr.cases.models import Case, Kind
from wfr.cases.queries import today
from wfr.drives.links import LinkFor, link_token
from wfr.drives.managing import pause_drive
from wfr.drives.models import Drive, DriveReport, NameState, ReportState, Sort
from wfr.drives.reporting import Line, report
from wfr.drives.wall_views import WallCase
from wfr.extensions import db
from wfr.letters.printing import qr_code


@pytest.fixture
def database_url(templates: Callable[[str], str], tmp_path: Path) -> str:
    """SQLite alone: what both databases answer is tested where it is read."""
    shutil.copy(templates("sqlite").removeprefix("sqlite:///"), tmp_path / "wfr.db")
    return f"sqlite:///{tmp_path / 'wfr.db'}"


@pytest.fixture
def drive(app: Flask, season: Cast) -> Drive:
    """A drive for both letter cases."""
    with app.app_context():
        return make_drive(season)


def numbers(app: Flask, visitor: FlaskClient, drive: Drive) -> str:
    """Return what a wall is told next, not what was kept for a second."""
    app.extensions["wfr.page_cache"].forget()
    answer = visitor.get(f"/schools/{drive.slug}/wall/numbers", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_the_wall_moves_when_a_letter_is_written(app: Flask, visitor: FlaskClient, drive: Drive, season: Cast) -> None:
    page = visitor.get(f"/schools/{drive.slug}/wall")
    assert "letters from this room" in text_of(page)
    assert page.get_data(as_text=True).count("#mark-inked") == 0
    with app.app_context():
        join(code_for(drive), season.tiny)
    told = numbers(app, visitor, drive)
    assert "letter from this room" in told
    assert told.count("#mark-inked") == 1
    with app.app_context():
        join(code_for(drive), season.tiny, kind=Kind.SOLIDARITY)
    assert "letters and cards from this room" in numbers(app, visitor, drive)


def test_the_wall_shows_the_code_and_a_picture_of_its_address_until_it_rests(
    app: Flask, visitor: FlaskClient, drive: Drive
) -> None:
    with app.app_context():
        code = code_for(drive)
    page = visitor.get(f"/schools/{drive.slug}/wall").get_data(as_text=True)
    assert code in page
    assert str(qr_code(f"http://127.0.0.1:8000/join/{code}", "QR code: write with us")) in page
    with app.app_context():
        pause_drive(token=link_token(drive, LinkFor.MANAGE), paused=True)
    told = numbers(app, visitor, drive)
    assert "The code rests" in told
    assert code not in told


def test_a_withdrawn_case_leaves_the_wall(app: Flask, visitor: FlaskClient, drive: Drive, season: Cast) -> None:
    with app.app_context():
        gone = db.session.query(Case.id).filter(Case.slug == season.tiny).scalar()
    assert f'id="number-{gone}"' in numbers(app, visitor, drive)
    withdraw(app, season.tiny)
    told = numbers(app, visitor, drive)
    assert f'id="number-{gone}"' not in told
    app.extensions["wfr.page_cache"].forget()
    page = visitor.get(f"/schools/{drive.slug}/wall")
    assert "Ada Vale" not in text_of(page)
    assert page.headers["CDN-Cache-Control"] == "max-age=1"


def test_reported_and_counted_stand_apart_and_what_counts_stands_large(
    app: Flask, visitor: FlaskClient, drive: Drive, season: Cast
) -> None:
    with app.app_context():
        for _ in range(3):
            join(code_for(drive), season.tiny)
        line = Line(season.tiny, Sort.LETTER)
        report(token=link_token(drive, LinkFor.REPORT), purpose=LinkFor.REPORT, numbers={line: 28})
    told = numbers(app, visitor, drive)
    assert "28 reported" in told
    assert '<span class="visually-hidden">3 </span>' in told
    with app.app_context():
        db.session.query(DriveReport).update({"counted": 27, "state": ReportState.COUNTED})
        db.session.commit()
    told = numbers(app, visitor, drive)
    assert "28 reported, 27 counted" in told
    assert '<span class="visually-hidden">27 </span>' in told


def test_a_name_shows_when_it_is_approved(app: Flask, visitor: FlaskClient, drive: Drive) -> None:
    assert drive.name not in text_of(visitor.get(f"/schools/{drive.slug}/wall"))
    with app.app_context():
        db.session.query(Drive).update({"name_state": NameState.APPROVED})
        db.session.commit()
    app.extensions["wfr.page_cache"].forget()
    assert text_of(visitor.get(f"/schools/{drive.slug}/wall")).startswith(drive.name)


def test_the_wall_counts_the_days_to_the_end_and_stays_when_it_has_come(
    app: Flask, visitor: FlaskClient, season: Cast
) -> None:
    with time_machine.travel(today().replace(month=12, day=1)), app.app_context():
        db.session.query(type(season.season)).update({"opens": today(), "closes": today() + timedelta(days=40)})
        short = make_drive(season, starts=today(), ends=today() + timedelta(days=4))
        long = make_drive(season, starts=today(), ends=today() + timedelta(days=20))
        assert "<b>4</b> days left to write" in numbers(app, visitor, short)
        assert "<b>9</b> days to Human Rights Day" in numbers(app, visitor, long)
    with time_machine.travel(today().replace(month=12, day=6)):
        told = numbers(app, visitor, short)
    assert "This letter drive has ended" in told
    assert "Writing has ended" in told


def test_there_is_no_wall_for_nobody(app: Flask, visitor: FlaskClient, season: Cast) -> None:
    with app.app_context():
        unconfirmed = make_drive(season, confirmed=False)
    assert visitor.get(f"/schools/{unconfirmed.slug}/wall").status_code == 404
    assert visitor.get("/schools/nowhere/wall/numbers").status_code == 404


def test_a_stamp_fills_with_postmarks_and_not_without_end() -> None:
    marks = [WallCase(Case(), number).marks for number in (0, 1, 2, 5, 30, 9_999)]
    assert marks == [0, 1, 2, 4, 7, 9]
