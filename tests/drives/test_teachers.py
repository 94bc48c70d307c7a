"""A teacher's whole way: start, confirm, look after, report; and every page when a case is withdrawn meanwhile."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from tests.acting import text_of, ticket_in
from tests.drives.driving import TEACHER, code_for, join, make_drive, new_drive
from tests.drives.post import links_in, mails
from tests.factories import Cast
from tests.linting import LintingClient
from tests.staffing import make_account
from wfr.cases.models import Case, CaseStatus, Season
from wfr.cases.queries import today
from wfr.drives.links import LinkFor, link_token
from wfr.drives.models import Drive, DriveCase, NameState, Sort
from wfr.drives.reporting import Line, ask_back, count_report
from wfr.drives.starting import StartedAlready, start_drive
from wfr.extensions import db, kept
from wfr.staff.models import Actor, Role

ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BOTH_REPORTS = {"letter-ada-vale": "28", "solidarity-ada-vale": "2", "petition-ada-vale": "40"}


def told(visitor: LintingClient, **changes: Any) -> dict[str, Any]:
    """Return what the form for a new drive sends."""
    return {
        "ticket": ticket_in(visitor.get("/schools/start")),
        "name": "Lycée de la Rivière",
        "country": "TG",
        "email": TEACHER,
        "cases": ["ada-vale"],
        "hoped": "30",
        "starts": today().isoformat(),
        "ends": (today() + timedelta(days=7)).isoformat(),
        **changes,
    }


def manage_path(app: Flask, drive: Drive) -> str:
    """Return the address of a drive's private page."""
    with app.app_context():
        return f"/schools/manage/{link_token(db.session.get_one(Drive, drive.id), LinkFor.MANAGE)}"


def count(app: Flask, drive: Drive, slug: str, number: int, sort: Sort = Sort.LETTER) -> None:
    """Have the office count letters of a drive."""
    with app.app_context():
        by = Actor(make_account(f"counter{uuid4().hex[:6]}", Role.REVIEWER).id)
        count_report(drive_slug=drive.slug, line=Line(slug, sort), number=number, by=by)


def withdraw(app: Flask, slug: str) -> None:
    """Take a case from the site."""
    with app.app_context():
        db.session.query(Case).filter(Case.slug == slug).update({"status": CaseStatus.WITHDRAWN})
        db.session.commit()
        kept().forget("shelf")


@pytest.fixture
def drive(app: Flask, season: Cast) -> Drive:
    """A confirmed drive for two cases."""
    with app.app_context():
        return make_drive(season)


@ONE
def test_a_teacher_starts_a_drive_and_gets_to_the_certificate(app: Flask, visitor: LintingClient, season: Cast) -> None:
    assert "No drive has started this season yet." in text_of(visitor.get("/schools"))
    answer = visitor.post("/schools/start", data=told(visitor))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/schools/check-your-mail")
    assert "outbox" not in text_of(visitor.get("/schools/check-your-mail"))
    (mail,) = mails(app)
    assert mail["To"] == TEACHER
    (confirm,) = links_in(mail, "confirm")

    asked = visitor.get(confirm)
    assert "Lycée de la Rivière" in text_of(asked) and links_in(mail, "manage") == []
    with app.app_context():
        assert db.session.query(Drive).one().confirmed_at is None, "opening a link confirms nothing"
    manage = visitor.post(confirm).headers["Location"]
    assert visitor.post(confirm).status_code == 303, "twice is as once"
    assert len(mails(app)) == 2, "the private link is mailed once"
    assert "nothing reported yet" in text_of(visitor.get(manage))

    with app.app_context():
        drive = db.session.query(Drive).one()
        for _ in range(3):
            join(code_for(drive), "ada-vale")
    assert "3 with the code" in text_of(visitor.get(manage))
    assert visitor.post(f"{manage}/report", data=BOTH_REPORTS).status_code == 303
    assert "30 reported, not counted yet" in text_of(visitor.get(manage))
    assert visitor.get(f"{manage}/certificate.pdf").status_code == 409

    count(app, drive, "ada-vale", 27)
    count(app, drive, "ada-vale", 2, Sort.SOLIDARITY)
    done = text_of(visitor.get(manage))
    assert "30 reported, 29 counted" in done and "Hang up the certificate" in done
    assert visitor.get(f"{manage}/certificate.pdf").data.startswith(b"%PDF")
    with app.app_context():
        kept().forget(f"schools of {drive.season_id}")
        app.extensions["wfr.page_cache"].forget()
    totals = text_of(visitor.get("/how-we-count"))
    assert "Reported by teachers 30" in totals and "Counted by our office 29" in totals
    assert "30 reported, 29 counted" in text_of(visitor.get("/schools"))


@ONE
def test_a_mail_to_a_stranger_repeats_nothing_that_was_typed(app: Flask, visitor: LintingClient, season: Cast) -> None:
    visitor.post("/schools/start", data=told(visitor, name="Buy cheap watches at example.org"))
    (mail,) = mails(app)
    assert "watches" not in mail.as_string()


@ONE
def test_two_clicks_are_one_drive_and_one_mail_and_a_mended_address_is_another(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    form = told(visitor, email="tipo@school.example.org")
    assert [visitor.post("/schools/start", data=form).status_code for _ in range(2)] == [303, 303]
    assert [mail["To"] for mail in mails(app)] == ["tipo@school.example.org"]
    assert visitor.post("/schools/start", data={**form, "email": TEACHER}).status_code == 303
    assert [mail["To"] for mail in mails(app)] == ["tipo@school.example.org", TEACHER]
    with app.app_context():
        assert db.session.query(Drive).count() == 2


def test_two_clicks_at_the_same_moment_are_one_drive(app: Flask, season: Cast) -> None:
    ticket, gate, outcomes = uuid4(), threading.Barrier(4), []

    def click() -> None:
        with app.app_context():
            gate.wait()
            try:
                start_drive(season_slug="test", new=new_drive([season.tiny]), ticket=ticket)
                outcomes.append("started")
            except StartedAlready:
                outcomes.append("already")
            finally:
                db.session.remove()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert sorted(outcomes) == ["already"] * 3 + ["started"]
    with app.app_context():
        assert (db.session.query(Drive).count(), db.session.query(DriveCase).count()) == (1, 1)


@ONE
def test_when_no_mail_can_leave_the_words_are_kept_and_the_next_try_works(
    app: Flask, visitor: LintingClient, season: Cast, tmp_path: Path
) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be", encoding="utf-8")
    form = told(visitor)
    answer = visitor.post("/schools/start", data=form)
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    assert "Our mail could not leave" in text_of(answer) and "Lycée de la Rivière" in answer.text
    with app.app_context():
        assert db.session.query(Drive).count() == 0
    assert visitor.post("/schools/links", data={"email": TEACHER}).status_code == 503
    (tmp_path / "outbox").unlink()
    assert visitor.post("/schools/start", data={**form, "ticket": ticket_in(answer)}).status_code == 303
    assert len(mails(app)) == 1


@ONE
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "Give the name of your school or group"),
        ({"name": "x" * 121}, "The name can have at most 120 characters"),
        ({"country": "ZZ"}, "Choose the country"),
        ({"email": "a@example.org\nBcc: b@example.org"}, "Give an e-mail address"),
        ({"email": "nobody"}, "Give an e-mail address"),
        ({"cases": []}, "Tick at least one person"),
        ({"cases": ["omar-sand"]}, "not a valid choice"),
        ({"hoped": "many"}, "Write a whole number in figures"),
        ({"hoped": "0"}, "Give a number of letters from 1 to 2000"),
        ({"starts": "tomorrow"}, "Write the day as year, month, day"),
        ({"ends": "2020-01-01"}, "The last day comes after the first"),
        ({"ticket": "forged"}, "This form had expired"),
    ],
)
def test_what_cannot_be_is_said_and_the_rest_is_kept(
    app: Flask, visitor: LintingClient, season: Cast, wrong: dict[str, Any], words: str
) -> None:
    answer = visitor.post("/schools/start", data=told(visitor, invite_again="y", **wrong))
    assert answer.status_code == 422 and words in text_of(answer)
    assert 'name="invite_again" value="y" checked' in answer.text
    assert mails(app) == []


@ONE
@pytest.mark.parametrize("closes", [-1, -60])
def test_nothing_can_be_started_when_the_season_is_over(
    app: Flask, visitor: LintingClient, season: Cast, closes: int
) -> None:
    with app.app_context():
        db.session.query(Season).update({"opens": today() - timedelta(90), "closes": today() + timedelta(closes)})
        db.session.commit()
    assert "The season is over" in text_of(visitor.get("/schools"))
    assert visitor.get("/schools/start").status_code == 410
    assert visitor.post("/schools/start", data={}).status_code == 410


@ONE
def test_a_teacher_changes_the_plan_and_the_name_waits_again(app: Flask, visitor: LintingClient, drive: Drive) -> None:
    with app.app_context():
        db.session.query(Drive).update({"name_state": NameState.APPROVED})
        db.session.commit()
    manage = manage_path(app, drive)
    form = {**told(visitor, name="Another name", hoped="60", cases=["ada-vale"])}
    shown = visitor.get(f"{manage}/plan")
    assert 'value="Lycée de la Rivière"' in shown.text and shown.text.count(" checked") == 2
    assert visitor.post(f"{manage}/plan", data=form).status_code == 303
    page = text_of(visitor.get(manage))
    assert "60 letters hoped for" in page and "Somebody here has yet to read the name" in page
    assert "Tierra Alta" not in page
    assert visitor.post(f"{manage}/plan", data={**form, "cases": []}).status_code == 422


@ONE
def test_a_teacher_pauses_replaces_and_closes(app: Flask, visitor: LintingClient, drive: Drive) -> None:
    manage = manage_path(app, drive)
    with app.app_context():
        first = code_for(drive)
    visitor.post(f"{manage}/pause")
    assert "Your code is paused" in text_of(visitor.get(manage))
    visitor.post(f"{manage}/resume")
    visitor.post(f"{manage}/new-code")
    page = visitor.get(manage).text
    assert first not in page and "Your code is paused" not in page

    newer = visitor.post(f"{manage}/new-links").headers["Location"]
    assert visitor.get(manage).status_code == 404
    assert links_in(mails(app)[-1], "manage") and visitor.get(newer).status_code == 200
    visitor.post(f"{newer}/close")
    closed = visitor.get(newer)
    assert "The code of your class" not in closed.text and "Count, pack, post" in closed.text
    again = visitor.post(f"{newer}/pause")
    assert again.status_code == 409 and "This drive is closed." in text_of(again) and newer in again.text
    assert visitor.post(f"{newer}/report", data=BOTH_REPORTS).status_code == 303


@ONE
def test_a_teacher_has_the_address_erased(app: Flask, visitor: LintingClient, drive: Drive) -> None:
    manage = manage_path(app, drive)
    assert visitor.post(f"{manage}/forget").headers["Location"] == "/schools/forgotten"
    assert visitor.get("/schools/forgotten").status_code == 200
    assert visitor.get(manage).status_code == 404
    with app.app_context():
        assert db.session.get_one(Drive, drive.id).email is None
    visitor.post("/schools/links", data={"email": TEACHER})
    assert not links_in(mails(app)[-1], "manage")


@ONE
def test_the_slip_leads_to_reporting_and_to_nothing_else(app: Flask, visitor: LintingClient, drive: Drive) -> None:
    with app.app_context():
        report = f"/schools/report/{link_token(drive, LinkFor.REPORT)}"
        code = code_for(drive)
    page = visitor.get(f"{report}?case=maria-del-rosario-fernandez-de-la-vega-and-the-people-of-tierra-alta")
    assert code not in page.text and "/schools/manage/" not in page.text and TEACHER not in page.text
    assert page.text.index("Tierra Alta</legend>") < page.text.index("Ada Vale</legend>")
    assert visitor.post(report, data={}).status_code == 422
    refused = visitor.post(report, data={"letter-ada-vale": "5001", "petition-ada-vale": "few"})
    assert refused.status_code == 422 and "from 0 to 5000" in text_of(refused) and 'value="few"' in refused.text
    assert visitor.post(report, data={"letter-ada-vale": "28"}).headers["Location"].startswith("/schools/report/")
    assert "28 reported, not counted yet" in text_of(visitor.get(report))
    count(app, drive, "ada-vale", 27)
    visitor.post(report, data={"letter-ada-vale": "99", "petition-ada-vale": "5"})
    assert "28 reported, 27 counted" in text_of(visitor.get(report))


@ONE
def test_the_office_asks_back_on_the_private_page(app: Flask, visitor: LintingClient, drive: Drive) -> None:
    manage = manage_path(app, drive)
    visitor.post(f"{manage}/report", data=BOTH_REPORTS)
    with app.app_context():
        by = Actor(make_account("asker", Role.REVIEWER).id)
        ask_back(drive_slug=drive.slug, line=Line("ada-vale", Sort.LETTER), question="Twenty-eight or eighteen?", by=by)
    assert "Twenty-eight or eighteen?" in text_of(visitor.get(manage))


@ONE
def test_a_withdrawn_case_is_named_on_no_page_and_printed_nowhere(
    app: Flask, visitor: LintingClient, drive: Drive
) -> None:
    manage = manage_path(app, drive)
    with app.app_context():
        report = f"/schools/report/{link_token(drive, LinkFor.REPORT)}"
        join(code_for(drive), "ada-vale")
    visitor.post(f"{manage}/report", data=BOTH_REPORTS)
    assert visitor.get(f"{manage}/petition/ada-vale.pdf").status_code == 200
    withdraw(app, "ada-vale")
    for path in (manage, report):
        page = visitor.get(path)
        assert "Ada Vale" not in page.text and "ada-vale" not in page.text
        assert "A case was taken from the site; do not send letters for it." in text_of(page)
    for path in (f"{manage}/plan", "/schools/start", "/schools", "/how-we-count"):
        assert "Ada Vale" not in visitor.get(path).text
    assert "Cases that are no longer shown 1 30" in text_of(visitor.get(manage))
    assert visitor.get(f"{manage}/petition/ada-vale.pdf").status_code == 410
    assert visitor.get(f"{manage}/slip.pdf").status_code == 200
    assert visitor.post(f"{report}", data={"letter-ada-vale": "5"}).status_code == 422


@ONE
@pytest.mark.parametrize(
    ("change", "status"),
    [({"status": CaseStatus.PAUSED}, 410), ({"deadline": today() - timedelta(1)}, 410), ({"schools": False}, 410)],
)
def test_no_petition_is_printed_for_a_case_that_is_not_open_to_classes(
    app: Flask, visitor: LintingClient, drive: Drive, change: dict[str, Any], status: int
) -> None:
    with app.app_context():
        db.session.query(Case).filter(Case.slug == "ada-vale").update(change)
        db.session.commit()
        kept().forget("shelf")
    manage = manage_path(app, drive)
    assert visitor.get(f"{manage}/petition/ada-vale.pdf").status_code == status
    assert visitor.get(f"{manage}/petition/omar-sand.pdf").status_code in (404, 410)
    assert visitor.get(manage).status_code == 200


@ONE
def test_a_parcel_goes_where_the_season_gathers_its_letters(app: Flask, visitor: LintingClient, drive: Drive) -> None:
    manage = manage_path(app, drive)
    assert "parcel-label.pdf" not in visitor.get(manage).text
    assert visitor.get(f"{manage}/parcel-label.pdf").status_code == 409
    with app.app_context():
        db.session.query(Season).update({"letters_collected_at": "The Letter Office\n3 Long Lane\nLomé"})
        db.session.commit()
        kept().forget("shelf")
    assert "3 Long Lane" in text_of(visitor.get(manage))
    for sheet in ("parcel-label.pdf", "slip.pdf?paper=Letter"):
        assert visitor.get(f"{manage}/{sheet}").data.startswith(b"%PDF")


@ONE
def test_this_year_stands_beside_the_last(app: Flask, visitor: LintingClient, drive: Drive) -> None:
    with app.app_context():
        older = Season(
            slug="older",
            name="Write for Rights",
            opens=today() - timedelta(400),
            closes=today() - timedelta(370),
            key_date=today() - timedelta(380),
            reports_due=today() - timedelta(350),
        )
        db.session.add(older)
        db.session.flush()
        before = Drive(
            slug="before", season_id=older.id, name="Before", country="TG", language="en", email=TEACHER,
            starts=today() - timedelta(390), ends=today() - timedelta(380), hoped=20,
        )  # fmt: skip
        db.session.add(before)
        db.session.flush()
        db.session.get_one(Drive, drive.id).last_time = before.id
        db.session.commit()
    page = text_of(visitor.get(manage_path(app, drive)))
    assert f"This year against last {(today() - timedelta(390)).year} nothing reported yet" in page


@ONE
def test_a_post_from_where_letters_do_not_arrive_goes_by_the_embassy(
    app: Flask, visitor: LintingClient, season: Cast
) -> None:
    with app.app_context():
        drive = make_drive(season, country="CA")
    page = text_of(visitor.get(manage_path(app, drive)))
    assert "Post from where you live does not reach this address." in page
    assert "Send it to the embassy in Ottawa." in page
