"""The desk and its schools: names that wait, reports to count, drives at their limit, and where schools write."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.acting import text_of
from tests.drives.driving import TEACHER, case_id, code_for, join, make_drive
from tests.factories import Cast
from tests.staffing import Colleague, colleague
from wfr.cases.models import Case, CaseStatus, Kind
from wfr.countries import countries
from wfr.drives.desk_queries import MOST_WAITING, drives_waiting, what_waits
from wfr.drives.doubles import doubles_of
from wfr.drives.joining import NotJoined
from wfr.drives.links import LinkFor, link_token
from wfr.drives.mapping import STEPS, legend, outlines, school_map, step_of
from wfr.drives.models import Drive, DriveNotice, DriveReport, Sort
from wfr.drives.reporting import Line, report
from wfr.extensions import db
from wfr.pledges.tallying import Figures, find_drift, read_figures
from wfr.staff.models import AuditEntry, Role


@pytest.fixture
def rhea(app: Flask, season: Cast) -> Colleague:
    """A reviewer."""
    return colleague(app, "rhea", Role.REVIEWER)


def start(season: Cast, **changes: Any) -> Drive:
    """Start and confirm a drive, and return it as it was then: no later transaction changes this one."""
    drive = make_drive(season, **changes)
    db.session.expunge(drive)
    return drive


def tell(drive: Drive, slug: str, number: int, sort: Sort = Sort.LETTER) -> None:
    token = link_token(drive, LinkFor.REPORT)
    report(token=token, purpose=LinkFor.REPORT, numbers={Line(slug, sort): number})


def letters(slug: str) -> int:
    """Return the public count of a case's letters, read from the counters."""
    return read_figures(db.session).get(case_id(slug), Figures()).kinds["letter"].pledged


def count(who: Colleague, drive: Drive, slug: str, number: Any, sort: str = "letter", **more: str) -> Any:
    return who.send(f"/desk/drives/{drive.slug}/count", case=slug, sort=sort, number=number, **more)


def notices(drive: Drive) -> list[str]:
    rows = db.session.query(DriveNotice).filter_by(drive_id=drive.id).order_by(DriveNotice.id)
    return [row.about.partition(":")[0] for row in rows]


def fresh(drive: Drive) -> Drive:
    db.session.expire_all()
    return db.session.get_one(Drive, drive.id)


class TestWaiting:
    """What waits on the desk's pages."""

    def test_a_name_is_looked_at_and_the_desk_is_told_what_may_be_the_same(
        self, app: Flask, season: Cast, rhea: Colleague
    ) -> None:
        with app.app_context():
            first = start(season)
            second = start(season, name="Lycee de la riviere!", email="other@school.example.org")
            start(season, name="Green Hill School", email="third@school.example.org")
            start(season, confirmed=False, name="Nobody confirmed this")
        page = rhea.get("/desk/drives")
        assert "3 names wait" in text_of(page) and "Nobody confirmed this" not in text_of(page)
        assert text_of(page).count("Perhaps the same:") == 2
        assert "3 schools’ names wait" in text_of(rhea.get("/desk/"))
        answer = rhea.send(f"/desk/drives/{first.slug}/name", approve="yes", from_list="y")
        assert answer.status_code == 303 and answer.headers["Location"].endswith("/desk/drives#names")
        answer = rhea.send(f"/desk/drives/{second.slug}/name", approve="no")
        assert answer.status_code == 303 and answer.headers["Location"].endswith(f"/desk/drives/{second.slug}")
        with app.app_context():
            assert (fresh(first).public_name, fresh(second).public_name) == ("Lycée de la Rivière", None)
            assert (notices(first), [about.partition(":")[0] for about in notices(second)]) == ([], ["name_refused"])
            assert drives_waiting().names == 1
            names = db.session.query(AuditEntry.what).filter(AuditEntry.what == "drive.name_judged").count()
            assert names == 2

    def test_reports_wait_the_oldest_first_against_what_came_by_the_code(
        self, app: Flask, season: Cast, rhea: Colleague
    ) -> None:
        with app.app_context():
            first, second = start(season, name="First"), start(season, name="Second")
            join(code_for(first), season.tiny)
            for drive, number in ((second, 12), (first, 28)):
                tell(drive, season.tiny, number)
            assert [each.drive.name for each in what_waits().reports] == ["Second", "First"]
        words = text_of(rhea.get("/desk/drives"))
        assert "28 reported , 1 with the code" in words.replace("Ada Vale , Letters", "")
        assert "2 drives have letters to count" in text_of(rhea.get("/desk/"))

    def test_a_drive_at_its_limit_waits_until_it_is_closed_or_over(
        self, app: Flask, season: Cast, rhea: Colleague
    ) -> None:
        with app.app_context():
            drive = start(season, hoped=1)
            for _ in range(drive.limit):
                join(code_for(drive), season.tiny)
            with pytest.raises(NotJoined):
                join(code_for(drive), season.tiny)
            assert drives_waiting().at_limit == 1
        assert "21 of at most 21" in text_of(rhea.get("/desk/drives"))
        assert "Its code met the limit" in text_of(rhea.get(f"/desk/drives/{drive.slug}"))
        assert rhea.send(f"/desk/drives/{drive.slug}/close").status_code == 303
        with app.app_context():
            assert drives_waiting().at_limit == 0
            assert notices(drive) == ["closed"]
        assert rhea.send(f"/desk/drives/{drive.slug}/close").status_code == 409

    def test_a_writer_looks_and_sees_no_address(self, app: Flask, season: Cast, rhea: Colleague) -> None:
        with app.app_context():
            drive = start(season)
        wanda = colleague(app, "wanda", Role.WRITER)
        for path in ("/desk/drives", f"/desk/drives/{drive.slug}"):
            page = wanda.get(path).get_data(as_text=True)
            assert "Lycée de la Rivière" in page and TEACHER not in page
            assert 'method="post" action="/desk/drives' not in page
        assert TEACHER in text_of(rhea.get(f"/desk/drives/{drive.slug}"))
        by_address = f"/desk/drives?words={TEACHER}"
        assert "No drive is called that" in text_of(wanda.get(by_address))
        assert "No drive is called that" not in text_of(rhea.get(by_address))

    def test_a_long_list_asks_the_database_no_more_than_a_short_one(self, app: Flask, season: Cast) -> None:
        with app.app_context():
            for number in range(MOST_WAITING + 2):
                drive = start(season, name=f"School {number:03}", email=f"t{number}@school.example.org")
                tell(drive, season.tiny, number + 1)
            waiting = what_waits()
            assert len(waiting.names) == len(waiting.reports) == MOST_WAITING
            assert waiting.names[0][0].name == "School 000"


class TestCounting:
    """Reported becomes counted, line by line."""

    def test_27_then_25_takes_two_away_and_a_report_moves_nothing(
        self, app: Flask, season: Cast, rhea: Colleague
    ) -> None:
        with app.app_context():
            drive = start(season)
            for _ in range(3):
                join(code_for(drive), season.tiny)
            tell(drive, season.tiny, 28)
            assert letters(season.tiny) == 3
        page = rhea.get(f"/desk/drives/{drive.slug}").get_data(as_text=True)
        assert 'name="number" value="28"' in page and "Accept 28 as reported" in page
        assert count(rhea, drive, season.tiny, 27).status_code == 303
        with app.app_context():
            assert letters(season.tiny) == 27
        assert "28 reported, 27 counted" in text_of(rhea.get(f"/desk/drives/{drive.slug}"))
        assert count(rhea, drive, season.tiny, 25).status_code == 303
        with app.app_context():
            assert letters(season.tiny) == 25
            assert find_drift(db.session) == []
            assert set(notices(drive)) == {"counted"}
        words = text_of(rhea.get(f"/desk/drives/{drive.slug}"))
        assert "Joined 3 Reported 28 Counted 25" in words

    def test_what_nobody_reported_can_be_counted_and_nonsense_comes_back_with_its_error(
        self, app: Flask, season: Cast, rhea: Colleague
    ) -> None:
        with app.app_context():
            drive = start(season)
            tell(drive, season.tiny, 28)
        for number, more in (("many", {}), ("", {}), ("-1", {}), ("5001", {}), ("x", {"other": "y"})):
            answer = count(rhea, drive, season.tiny, number, **more)
            assert answer.status_code == 422 and "There is a problem" in text_of(answer), number
        assert count(rhea, drive, season.tiny, 3, sort="post").status_code == 404
        assert count(rhea, drive, season.silent, 3).status_code == 404
        assert count(rhea, drive, season.long, 9, sort="petition", other="y").status_code == 303
        with app.app_context():
            counted = db.session.query(DriveReport).filter_by(sort="petition").one()
            assert (counted.reported, counted.counted, letters(season.tiny)) == (None, 9, 0)

    def test_the_teacher_is_asked_first_and_the_line_waits(self, app: Flask, season: Cast, rhea: Colleague) -> None:
        with app.app_context():
            drive = start(season)
            tell(drive, season.tiny, 28)
        path = f"/desk/drives/{drive.slug}/ask"
        assert rhea.send(path, case=season.tiny, sort="letter", question="").status_code == 422
        assert rhea.send(path, case=season.tiny, sort="letter", question="Was there\na second one?").status_code == 303
        words = text_of(rhea.get(f"/desk/drives/{drive.slug}"))
        assert "Asked back" in words and "You asked: Was there a second one?" in words
        with app.app_context():
            assert notices(drive) == ["question"] and drives_waiting().reports == 0
            tell(drive, season.tiny, 21)
            assert drives_waiting().reports == 1

    def test_a_withdrawn_case_is_not_counted(self, app: Flask, season: Cast, rhea: Colleague) -> None:
        with app.app_context():
            drive = start(season)
            tell(drive, season.tiny, 28)
            case = db.session.get_one(Case, case_id(season.tiny))
            case.status = CaseStatus.WITHDRAWN
            db.session.commit()
        assert "Accept 28" not in text_of(rhea.get(f"/desk/drives/{drive.slug}"))
        assert count(rhea, drive, season.tiny, 27).status_code == 409


class TestOneDrive:
    """A word to the teacher; two drives that are one; where schools write."""

    def test_a_message_is_kept_beside_what_was_written_before(self, app: Flask, season: Cast, rhea: Colleague) -> None:
        with app.app_context():
            drive = start(season)
        path = f"/desk/drives/{drive.slug}/message"
        assert rhea.send(path, words=" ").status_code == 422
        assert rhea.send(path, words="x" * 2_001).status_code == 422
        for words in ("Your parcel is here.", "And a second one."):
            assert rhea.send(path, words=words).status_code == 303
        words = text_of(rhea.get(f"/desk/drives/{drive.slug}"))
        assert words.index("And a second one.") < words.index("Your parcel is here.")
        with app.app_context():
            told = [entry.after for entry in db.session.query(AuditEntry).filter_by(what="drive.teacher_written_to")]
            assert len(told) == 2 and "parcel" not in str(told)

    def test_nothing_is_written_to_an_address_that_nobody_confirmed(
        self, app: Flask, season: Cast, rhea: Colleague
    ) -> None:
        with app.app_context():
            drive = start(season, confirmed=False)
        assert "Nobody has opened the link" in text_of(rhea.get(f"/desk/drives/{drive.slug}"))
        assert rhea.send(f"/desk/drives/{drive.slug}/message", words="Hello").status_code == 409
        assert rhea.send(f"/desk/drives/{drive.slug}/name", approve="no").status_code == 409

    def test_two_drives_become_one_and_a_count_stands_for_all_of_its_letters(self, app: Flask, season: Cast) -> None:
        with app.app_context():
            first = start(season)
            second = start(season, name="Lycée de la Rivière, 2")
            abroad = start(season, country="PT")
            join(code_for(second), season.tiny)
            join(code_for(second), season.long, kind=Kind.LETTER)
            tell(first, season.tiny, 28)
        cora, rhea = colleague(app, "cora", Role.COORDINATOR), colleague(app, "rhea", Role.REVIEWER)
        assert count(cora, first, season.tiny, 27).status_code == 303
        path = f"/desk/drives/{second.slug}/merge"
        assert rhea.send(path, into=first.slug).status_code == 403
        assert cora.send(path).status_code == 422
        assert cora.send(path, into=abroad.slug).status_code == 409
        answer = cora.send(path, into=first.slug)
        assert answer.status_code == 303 and answer.headers["Location"].endswith(f"/desk/drives/{first.slug}")
        with app.app_context():
            assert (letters(season.tiny), letters(season.long)) == (27, 1)
            assert find_drift(db.session) == []
        assert "This drive is a part of another one now" in text_of(cora.get(f"/desk/drives/{second.slug}"))
        assert cora.send(f"/desk/drives/{second.slug}/message", words="Hello").status_code == 409
        assert "Joined 1 Reported 28 Counted 27" in text_of(cora.get(f"/desk/drives/{first.slug}"))

    def test_schools_are_listed_by_country_with_their_numbers_apart(
        self, app: Flask, season: Cast, rhea: Colleague
    ) -> None:
        with app.app_context():
            here, there = start(season), start(season, country="MT", name="Green Hill School")
            join(code_for(there), season.tiny)
            tell(here, season.tiny, 28)
        count(rhea, here, season.tiny, 27)
        words = text_of(rhea.get("/desk/drives"))
        assert "Togo 1 0 28 27" in words and "Malta 1 1 0 0" in words
        found = text_of(rhea.get("/desk/drives?country=MT&words=hill"))
        assert "Green Hill School Malta Open" in found and "Lycée de la Rivière Togo Open" not in found
        assert rhea.get("/desk/drives?season=never").status_code == 404


def test_the_same_school_is_told_by_its_address_or_its_name() -> None:
    def drive(number: int, name: str, email: str = "", country: str = "TG") -> Drive:
        return Drive(id=number, season_id=1, country=country, name=name, email=email or f"t{number}@example.org")

    others = [
        drive(2, "SAO-PAULO SCHOOL"),
        drive(3, "Green Hill School"),
        drive(4, "Anything", "T1@example.org"),
        drive(5, "São Paulo School", country="PT"),
        drive(6, "", ""),
    ]
    assert [each.id for each in doubles_of(drive(1, "São Paulo School"), others)] == [2, 4]
    assert [each.id for each in doubles_of(drive(7, "مدرسة النهر"), [drive(8, "مدرسة النهر ١")])] == [8]
    assert doubles_of(drive(9, ""), others) == []


def test_the_map_has_every_country_once_and_five_tints() -> None:
    world = outlines()
    names = {code for code, _name in countries("en")}
    assert set(world.paths) <= names and set(world.dots) <= names and not set(world.paths) & set(world.dots)
    assert len(world.paths) > 170 and {"MT", "SG"} <= set(world.dots)
    assert [step_of(number) for number in (1, 2, 4, 5, 25, 999)] == [1, 2, 2, 3, 5, 5]
    assert [least for _step, least, _most in legend()] == list(STEPS) and legend()[-1][2] is None
    drawn = school_map({"DE": 30, "MT": 1, "TV": 2})
    assert [(each.country, each.step, bool(each.path)) for each in drawn.tinted] == [("DE", 5, True), ("MT", 1, False)]
    assert drawn.unmapped == ["TV"] and world.paths["DE"] not in drawn.land and world.paths["FR"] in drawn.land
