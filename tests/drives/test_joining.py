"""Pupils: a code, a case, a letter that counts for the class, and nothing about them that stays anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.acting import fill_in, text_of, ticket_in
from tests.drives.driving import code_for, make_drive
from tests.factories import Cast
from wfr.cases.models import Case, CaseStatus, Season
from wfr.cases.queries import today
from wfr.drives.links import LinkFor, link_token
from wfr.drives.managing import close_drive, pause_drive, replace_code
from wfr.drives.models import Drive, DriveReport, ReportState
from wfr.drives.queries import drives_at_limit, numbers_of
from wfr.extensions import db, kept, utc_now
from wfr.pledges.models import Pledge
from wfr.pledges.tallying import read_figures

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OWN_WORDS = "My grandmother wrote letters too."


@dataclass(frozen=True)
class Class:
    """A class that may write: its code, and the way to its writing table for the case with letters and cards."""

    code: str
    slug: str
    manage: str
    table: str
    case: str


@pytest.fixture
def school(app: Flask, season: Cast) -> Class:
    """A class of thirty in Ireland."""
    with app.app_context():
        drive = make_drive(season, country="IE")
        code = code_for(drive)
        table = f"/join/{code}/{season.tiny}/letter"
        return Class(code, drive.slug, link_token(drive, LinkFor.MANAGE), table, season.tiny)


def write(pupil: FlaskClient, table: str, **fields: str) -> TestResponse:
    """Open the writing table and send it."""
    return pupil.post(table, data=fill_in(pupil, table, own_words=OWN_WORDS, **fields))


def withdraw(app: Flask, slug: str) -> None:
    """Withdraw a case as the desk's verb leaves it."""
    with app.app_context():
        db.session.query(Case).filter(Case.slug == slug).update({"status": CaseStatus.WITHDRAWN})
        db.session.commit()
        kept().forget("shelf")


def written(slug: str) -> int:
    drive = db.session.query(Drive).filter(Drive.slug == slug).one()
    return numbers_of(db.session, drive).written()


def test_a_letter_counts_once_for_the_class_and_for_the_world(
    app: Flask, visitor: FlaskClient, school: Class, season: Cast
) -> None:
    with app.app_context():
        before = sum(figures.pledged for figures in read_figures(db.session).values())
    sent = fill_in(visitor, school.table, own_words=OWN_WORDS, name="Ama", country="US")
    first, again = visitor.post(school.table, data=sent), visitor.post(school.table, data=sent)
    assert first.status_code == again.status_code == 200
    assert first.headers["Cache-Control"] == "no-store"
    assert OWN_WORDS in text_of(first)
    assert "Dear Minister," in text_of(first)
    with app.app_context():
        pledge = db.session.query(Pledge).one()
        assert (pledge.country, pledge.kind) == ("IE", "letter")  # the class's country, whatever a form says
        assert written(school.slug) == 1
        assert sum(figures.pledged for figures in read_figures(db.session).values()) == before + 1
    card = school.table.replace("/letter", "/solidarity")
    assert write(visitor, card).status_code == 200
    with app.app_context():
        assert written(school.slug) == 2


def test_a_leaked_code_brings_no_more_than_its_limit_in_twenty_threads(app: Flask, season: Cast) -> None:
    app.test_client_class = FlaskClient
    with app.app_context():
        drive = make_drive(season, hoped=1)
        code, limit, slug = code_for(drive), drive.limit, drive.slug
    table = f"/join/{code}/{season.tiny}/letter"
    tickets = [fill_in(app.test_client(), table) for _ in range(limit + 19)]

    def send(form: dict[str, str]) -> int:
        return app.test_client().post(table, data=form).status_code

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(send, tickets))
    assert sorted(set(answers)) == [200, 429]
    assert answers.count(200) == limit
    with app.app_context():
        assert written(slug) == limit
        assert drives_at_limit() == 1
    assert app.test_client().get(f"/join/{code}").status_code == 429


@sqlite_only
def test_three_hundred_pupils_behind_one_address_are_all_let_in(app: Flask, season: Cast) -> None:
    app.test_client_class = FlaskClient
    with app.app_context():
        drive = make_drive(season, hoped=300)
        code, slug = code_for(drive), drive.slug
    pupil, table = app.test_client(), f"/join/{code}/{season.tiny}/letter"
    form = {"name": "Ama", "own_words": OWN_WORDS, "paper": "A4"}
    refused = []
    for number in range(300):
        answers = [
            pupil.post(f"{table}/preview", data=form, headers={"HX-Request": "true"}),
            write(pupil, table, name="Ama"),
        ]
        if number % 60 == 0:
            answers.append(pupil.get(f"/join/{code}"))
            answers.append(pupil.post(f"{table}/print", data=form))
        refused += [answer.status for answer in answers if answer.status_code != 200]
    assert refused == []
    with app.app_context():
        assert written(slug) == 300


def _count(drive: Drive) -> None:
    values = {"sort": "letter", "state": ReportState.COUNTED, "counted": 20}
    case_id = db.session.query(Case.id).filter(Case.slug == "ada-vale").scalar()
    db.session.add(DriveReport(drive_id=drive.id, case_id=case_id, **values))


def _end(drive: Drive) -> None:
    drive.ends = today() - timedelta(days=1)


def _fill(drive: Drive) -> None:
    drive.joined = drive.limit


@sqlite_only
@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        (lambda drive: replace_code(token=link_token(drive, LinkFor.MANAGE)), 410, "Ask your teacher for the new code"),
        (lambda drive: pause_drive(token=link_token(drive, LinkFor.MANAGE), paused=True), 410, "Ask when it goes on"),
        (lambda drive: close_drive(token=link_token(drive, LinkFor.MANAGE)), 410, "is over"),
        (_end, 410, "is over"),
        (_fill, 429, "Tell your teacher"),
    ],
    ids=["replaced", "paused", "closed", "over", "limit"],
)
def test_whoever_cannot_write_now_is_told_what_to_do_and_keeps_the_words(
    app: Flask, visitor: FlaskClient, school: Class, change: Callable[[Drive], object], status: int, words: str
) -> None:
    sent = fill_in(visitor, school.table, own_words=OWN_WORDS)
    with app.app_context():
        change(db.session.query(Drive).one())
        db.session.commit()
    pages = [visitor.get(f"/join/{school.code}"), visitor.get(school.table), visitor.post(school.table, data=sent)]
    assert [page.status_code for page in pages] == [status] * 3
    assert all(words in text_of(page) for page in pages)
    assert OWN_WORDS in text_of(pages[2])
    with app.app_context():
        assert db.session.query(Pledge).count() == 0


@sqlite_only
def test_what_the_office_has_counted_takes_no_more_letters(app: Flask, visitor: FlaskClient, school: Class) -> None:
    sent = fill_in(visitor, school.table, own_words=OWN_WORDS)
    with app.app_context():
        _count(db.session.query(Drive).one())
        db.session.commit()
    choice = visitor.get(f"/join/{school.code}").get_data(as_text=True)
    assert f'href="{school.table}"' not in choice
    assert f'href="{school.table.replace("letter", "solidarity")}"' in choice
    pages = [visitor.get(school.table), visitor.post(school.table, data=sent)]
    assert [page.status_code for page in pages] == [410, 410]
    assert OWN_WORDS in text_of(pages[1])


@sqlite_only
def test_a_season_that_has_closed_leaves_nobody_to_write_to(app: Flask, visitor: FlaskClient, school: Class) -> None:
    with app.app_context():
        db.session.query(Season).update({"closes": today() - timedelta(days=1)})
        db.session.commit()
        kept().forget("shelf")
    assert [visitor.get(path).status_code for path in (f"/join/{school.code}", school.table)] == [410, 410]
    assert visitor.get(f"/join/{school.code}/task").status_code == 200


@sqlite_only
def test_words_survive_a_database_that_is_away(app: Flask, visitor: FlaskClient, school: Class) -> None:
    sent = fill_in(visitor, school.table, own_words=OWN_WORDS, name="Ama")
    with app.app_context():
        db.session.execute(text("ALTER TABLE drive_codes RENAME TO out_of_reach"))
        db.session.commit()
    page = visitor.post(school.table, data=sent)
    assert page.status_code == 503
    assert "could not record" in text_of(page)
    assert OWN_WORDS in text_of(page)
    with app.app_context():
        db.session.execute(text("ALTER TABLE out_of_reach RENAME TO drive_codes"))
        db.session.commit()
    assert visitor.post(school.table, data={**sent, "ticket": ticket_in(page)}).status_code == 200
    with app.app_context():
        assert written(school.slug) == 1


@sqlite_only
def test_no_name_of_a_pupil_is_found_anywhere_afterwards(
    app: Flask, visitor: FlaskClient, school: Class, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "Zwxqvanarybird"
    form = {"name": canary, "own_words": f"{canary} was here.", "paper": "A4"}
    answers = [
        visitor.post(f"{school.table}/preview", data=form, headers={"HX-Request": "true"}),
        write(visitor, school.table, name=canary),
        visitor.post(f"{school.table}/print", data=form),
        visitor.post(school.table, data={**form, "ticket": "forged"}),
        visitor.post(school.table, data={**form, "name": canary * 9}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422, 422]
    assert all("Set-Cookie" not in answer.headers for answer in answers)
    found = [file for file in tmp_path.rglob("*") if file.is_file() and canary.encode() in file.read_bytes()]
    assert found == []
    logged = capfd.readouterr()
    assert canary not in logged.out + logged.err
    assert canary not in app.test_client().get("/metrics").get_data(as_text=True)


@sqlite_only
def test_a_code_is_forgiven_how_it_is_typed_and_a_wrong_one_gives_the_form_again(
    visitor: FlaskClient, school: Class
) -> None:
    typed = f" {school.code[:3].lower()} {school.code[3:].lower()} "
    answer = visitor.get("/join", query_string={"code": typed})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/join/{school.code}")
    wrong = visitor.get("/join", query_string={"code": "aeiou1"})
    assert wrong.status_code == 422
    assert "We do not know this code" in text_of(wrong)
    assert visitor.get("/join/CCCCCC").status_code == 404


@sqlite_only
def test_codes_cannot_be_guessed_and_a_code_that_is_known_here_goes_on(
    app: Flask, visitor: FlaskClient, school: Class, season: Cast
) -> None:
    app.test_client_class = FlaskClient
    with app.app_context():
        other = code_for(make_drive(season))
    assert visitor.get(f"/join/{school.code}").status_code == 200
    guesses = [visitor.get("/join", query_string={"code": f"wrong{n}"}).status_code for n in range(125)]
    assert set(guesses[:120]) == {422}
    assert set(guesses[120:]) <= {422, 429}
    assert visitor.get(f"/join/{other}").status_code == 429
    assert visitor.get(f"/join/{school.code}").status_code == 200
    assert app.test_client().get(f"/join/{other}", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


@sqlite_only
def test_a_withdrawn_case_leaves_the_choice_and_an_old_form_of_it_is_refused(
    app: Flask, visitor: FlaskClient, school: Class
) -> None:
    form = fill_in(visitor, school.table, own_words=OWN_WORDS)
    form["paper"] = "A4"
    assert "Ada Vale" in text_of(visitor.get(f"/join/{school.code}"))
    withdraw(app, school.case)
    assert "Ada Vale" not in text_of(visitor.get(f"/join/{school.code}"))
    answers = [visitor.get(school.table)] + [
        visitor.post(school.table + part, data=form) for part in ("", "/preview", "/print")
    ]
    assert [answer.status_code for answer in answers] == [410] * 4
    assert all("Ada Vale" not in text_of(answer) for answer in answers)


@sqlite_only
def test_a_case_that_is_not_for_schools_or_not_chosen_is_not_written_for(
    app: Flask, visitor: FlaskClient, school: Class, season: Cast
) -> None:
    with app.app_context():
        code = code_for(make_drive(season, cases=[season.long]))
    assert visitor.get(f"/join/{code}/{season.tiny}/letter").status_code == 404
    assert visitor.post(f"/join/{code}/{season.tiny}/letter/print", data={"paper": "A4"}).status_code == 404
    assert visitor.get(f"/join/{school.code}/{season.tiny}/email").status_code == 404
    with app.app_context():
        db.session.query(Case).filter(Case.slug == season.tiny).update({"schools": False})
        db.session.commit()
        kept().forget("shelf")
    assert visitor.get(school.table).status_code == 410
    assert visitor.post(f"{school.table}/print", data={"paper": "A4"}).status_code == 410


@sqlite_only
def test_the_paper_holds_the_name_and_no_code(visitor: FlaskClient, school: Class) -> None:
    form = {"name": "ليلى", "own_words": OWN_WORDS, "paper": "Letter"}
    for kind in ("letter", "solidarity"):
        answer = visitor.post(school.table.replace("letter", kind) + "/print", data=form)
        assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/pdf", "no-store")
        with pypdfium2.PdfDocument(answer.data) as pdf:
            assert len(pdf) == 1
            words = pdf[0].get_textpage().get_text_bounded()
        assert OWN_WORDS in " ".join(words.split())
        assert "/join" not in words


@sqlite_only
def test_pages_of_pupils_remember_nothing_and_offer_a_task_of_equal_weight(visitor: FlaskClient, school: Class) -> None:
    choice = visitor.get(f"/join/{school.code}")
    pages = [visitor.get("/join"), choice, visitor.get(f"/join/{school.code}/task"), visitor.get(school.table)]
    pages.append(write(visitor, school.table))
    for page in pages:
        assert page.status_code == 200
        assert "postmarks.js" not in page.get_data(as_text=True)
        assert "your-sheet.js" not in page.get_data(as_text=True)
    assert "You do not have to write" in text_of(choice)
    assert "We do not keep your name or your words" in text_of(choice)
    fields = re.findall(r"<(?:input type=\"text\"|textarea)[^>]*>", pages[3].get_data(as_text=True))
    assert fields
    assert all('autocomplete="off"' in field for field in fields)
    assert 'name="country"' not in pages[3].get_data(as_text=True)
    assert 'name="address"' not in pages[3].get_data(as_text=True)


@sqlite_only
def test_a_ticket_that_is_not_ours_or_too_old_gets_a_fresh_one_with_the_words_kept(
    visitor: FlaskClient, school: Class
) -> None:
    old = fill_in(visitor, school.table, own_words=OWN_WORDS)
    for ticket, hours in (("forged", 0), (old["ticket"], 25)):
        with time_machine.travel(utc_now() + timedelta(hours=hours), tick=True):
            page = visitor.post(school.table, data={**old, "ticket": ticket})
            assert page.status_code == 422
            assert OWN_WORDS in text_of(page)
            assert visitor.post(school.table, data={**old, "ticket": ticket_in(page)}).status_code == 200


@sqlite_only
def test_a_preview_without_a_script_is_the_whole_table_and_counts_nothing(
    app: Flask, visitor: FlaskClient, school: Class
) -> None:
    form = fill_in(visitor, school.table, own_words=OWN_WORDS)
    page = visitor.post(f"{school.table}/preview", data=form)
    assert page.status_code == 200
    assert ticket_in(page) == form["ticket"]
    part = visitor.post(f"{school.table}/preview", data=form, headers={"HX-Request": "true"})
    assert part.get_data(as_text=True).lstrip().startswith('<div id="sheet"')
    with app.app_context():
        assert db.session.query(Pledge).count() == 0
