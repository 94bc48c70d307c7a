"""Mails to teachers: each leaves once, is tried again where it could not, and says no more than it must."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from flask import Flask

from tests.conftest import close_database, make_settings
from tests.drives.driving import TEACHER, case_id, make_drive
from tests.factories import Cast, make_case
from tests.programs import free_port
from tests.staffing import make_account
from wfr import create_app
from wfr.cases.models import CaseUpdate, Season
from wfr.cases.queries import today
from wfr.cases.withdrawing import withdraw
from wfr.drives.links import LinkFor, link_token
from wfr.drives.managing import forget_teacher
from wfr.drives.models import DriveNotice, Sort
from wfr.drives.moderating import close_by_desk, judge_name, message_teacher
from wfr.drives.noticing import FAILURES_AT_ONCE, MOST_TRIES, PAUSES, sweep_notices
from wfr.drives.occasions import notice_cases
from wfr.drives.reporting import Line, ask_back, count_report, report
from wfr.extensions import db, kept
from wfr.jobs import queue_of
from wfr.staff.models import Actor, Role


@pytest.fixture
def mailbox(app: Flask, tmp_path: Path) -> Mailbox:
    """The folder in which mail is laid without a mail server."""
    return Mailbox(tmp_path / "outbox")


class Mailbox:
    """What has left so far, the oldest first: (to, subject, text)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> list[tuple[str, str, str]]:
        """Return every mail."""
        mails = []
        for file in sorted(self.folder.glob("*.eml")):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            body = message.get_body()
            assert body
            mails.append((message["To"], message["Subject"], body.get_content()))
        return mails

    def empty(self) -> None:
        """Forget what has left."""
        for file in self.folder.glob("*.eml"):
            file.unlink()


@pytest.fixture
def rhea(app: Flask, season: Cast) -> Actor:
    """A reviewer."""
    with app.app_context():
        return Actor(make_account("rhea", Role.REVIEWER).id)


def notice_and_sweep() -> int:
    """Do what the two jobs do every minute."""
    kept().forget("shelf")
    notice_cases()
    return sweep_notices()


def test_every_notice_is_a_mail_that_says_who_writes_and_how_to_be_forgotten(
    app: Flask, season: Cast, rhea: Actor, mailbox: Mailbox
) -> None:
    with app.app_context():
        drive = make_drive(season)
        line = Line(season.tiny, Sort.LETTER)
        report(token=link_token(drive, LinkFor.REPORT), purpose=LinkFor.REPORT, numbers={line: 28})
        ask_back(drive_slug=drive.slug, line=line, question="Was there a second parcel?", by=rhea)
        sweep_notices()
        count_report(drive_slug=drive.slug, line=line, number=27, by=rhea)
        message_teacher(slug=drive.slug, words="Thank you!\nCome again.", by=rhea)
        judge_name(slug=drive.slug, approve=False, by=rhea)
        close_by_desk(slug=drive.slug, by=rhea)
        assert sweep_notices() == 4
        page = f"/schools/manage/{link_token(drive, LinkFor.MANAGE)}"
        mails = mailbox.read()
        assert sweep_notices() == 0
    words = ["Was there a second parcel?", "28 reported, 27 counted", "Come again.", "does not show the name", "closed"]
    for (to, subject, text), said in zip(mails, words, strict=True):
        assert to == TEACHER and "Write for Rights" in subject and "Lycée de la Rivière" in text
        assert said in text and "Erase me now" in text and "None" not in text and page.rpartition("~")[0][:30] in text
    assert "Ada Vale, letters: 28 reported, 27 counted" in mails[1][2] and "/certificate.pdf" in mails[1][2]
    assert all("Ada" not in subject for _to, subject, _text in mails)


def test_a_withdrawn_case_is_told_of_once_and_the_mail_names_nobody(
    app: Flask, season: Cast, rhea: Actor, mailbox: Mailbox
) -> None:
    with app.app_context():
        make_drive(season)
        make_drive(season, cases=[season.long], email="other@school.example.org")
        make_drive(season, confirmed=False, email="unconfirmed@school.example.org")
        assert notice_and_sweep() == 0
        withdraw(by=rhea, slug=season.tiny, reason="danger")
        assert [notice_and_sweep(), notice_and_sweep()] == [1, 0]
        (mail,) = mailbox.read()
    assert mail[0] == TEACHER and "Ada" not in "".join(mail)
    assert "do not send letters or cards for it" in " ".join(mail[2].split())


def test_a_question_about_a_case_that_is_withdrawn_meanwhile_never_leaves(
    app: Flask, season: Cast, rhea: Actor, mailbox: Mailbox
) -> None:
    with app.app_context():
        drive = make_drive(season)
        ask_back(drive_slug=drive.slug, line=Line(season.tiny, Sort.LETTER), question="Ada?", by=rhea)
        withdraw(by=rhea, slug=season.tiny, reason="danger")
        assert sweep_notices() == 0 and mailbox.read() == []
        assert sweep_notices() == 0


def test_news_of_a_case_is_told_once_to_who_asked_for_it(
    app: Flask, season: Cast, rhea: Actor, mailbox: Mailbox
) -> None:
    with app.app_context():
        make_drive(season, tell_outcomes=True)
        make_drive(season, email="quiet@school.example.org")
        assert notice_and_sweep() == 0, "the good news of 2021 is older than the drive"
        number = case_id(season.tiny)
        for kind, text in (("outcome", "She is free. [Z9]"), ("news", "A hearing.")):
            db.session.add(CaseUpdate(case_id=number, dated=today(), kind=kind, text=text))
        db.session.commit()
        assert notice_and_sweep() == 1
        # A publication writes all updates of a case anew, perhaps with a slip of the pen put right.
        db.session.query(CaseUpdate).filter(CaseUpdate.dated == today()).delete()
        db.session.add(CaseUpdate(case_id=number, dated=today(), kind="outcome", text="She is free!"))
        db.session.commit()
        assert notice_and_sweep() == 0
        ((to, subject, text),) = mailbox.read()
    assert to == TEACHER and "Ada" not in subject
    assert "news of Ada Vale" in text and "She is free.\n" in text and "A hearing" not in text
    assert f"/cases/{season.tiny}" in text


def test_who_asked_for_it_is_invited_once_a_season(app: Flask, season: Cast, mailbox: Mailbox) -> None:
    with app.app_context():
        for changes in ({}, {"name": "The other class"}, {"email": TEACHER.upper()}):
            make_drive(season, invite_again=True, **changes)
        make_drive(season, invite_again=True, email="eager@school.example.org")
        make_drive(season, email="once@school.example.org")
        old = db.session.get_one(Season, season.season.id)
        old.opens, old.closes, old.slug = today() - timedelta(days=300), today() - timedelta(days=200), "old"
        new = Season(
            slug="test",
            name="The next season",
            opens=today(),
            closes=today() + timedelta(days=40),
            key_date=today(),
            reports_due=today() + timedelta(days=60),
        )
        db.session.add(new)
        db.session.flush()
        make_case(new, "new-one", "Nora New", kinds=["letter"])
        db.session.commit()
        kept().forget("shelf")
        make_drive(season, cases=["new-one"], email="Eager@school.example.org")
        assert [notice_and_sweep(), notice_and_sweep()] == [1, 0]
        ((to, _subject, text),) = mailbox.read()
    assert to.lower() == TEACHER and "The next season" in text and "/schools/start" in text


def test_nothing_leaves_once_a_teacher_is_forgotten(app: Flask, season: Cast, rhea: Actor, mailbox: Mailbox) -> None:
    with app.app_context():
        drive = make_drive(season, tell_outcomes=True)
        message_teacher(slug=drive.slug, words="Hello", by=rhea)
        forget_teacher(token=link_token(drive, LinkFor.MANAGE))
        withdraw(by=rhea, slug=season.tiny, reason="danger")
        assert notice_and_sweep() == 0 and mailbox.read() == []
        assert db.session.query(DriveNotice).count() == 0


class Postbox:
    """A mail server that takes mail, or refuses it for a while."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.asked = 0
        self.closed = False

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        self.asked += 1
        if self.closed:
            return "451 later"
        self.taken.append(envelope)
        return "250 OK"


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, str]]:
    """A mail server on this machine, and its address."""
    postbox, port = Postbox(), free_port()
    controller = Controller(postbox, hostname="127.0.0.1", port=port, server_hostname="localhost")
    controller.start()
    yield postbox, f"smtp://127.0.0.1:{port}"
    controller.stop()


def test_a_mail_that_cannot_leave_is_tried_again_ever_more_rarely_and_then_given_up(
    app: Flask, season: Cast, rhea: Actor, postbox: tuple[Postbox, str], tmp_path: Path, database_url: str
) -> None:
    server, address = postbox
    with app.app_context():
        drive = make_drive(season)
        message_teacher(slug=drive.slug, words="Hello", by=rhea)
    mailing = create_app(make_settings(tmp_path, database_url, MAIL_URL=address))
    now = datetime.now(UTC)
    with mailing.app_context():
        server.closed = True
        with time_machine.travel(now, tick=False) as clock:
            assert [sweep_notices(), sweep_notices()] == [0, 0] and server.asked == 1
            server.closed = False
            clock.shift(PAUSES[0] + timedelta(seconds=1))
            assert [sweep_notices(), sweep_notices()] == [1, 0]
            assert server.taken[0].rcpt_tos == [TEACHER] and server.asked == 2
            message_teacher(slug=drive.slug, words="And again", by=rhea)
            server.closed = True
            for pause in (*PAUSES, timedelta(days=30)):
                sweep_notices()
                clock.shift(pause + timedelta(seconds=1))
            assert server.asked == 2 + MOST_TRIES
            assert sweep_notices() == 0 and server.asked == 2 + MOST_TRIES
    close_database(mailing)


def test_a_server_that_is_away_is_not_asked_for_every_mail(
    app: Flask, season: Cast, rhea: Actor, tmp_path: Path, database_url: str
) -> None:
    mailing = create_app(make_settings(tmp_path, database_url, MAIL_URL=f"smtp://127.0.0.1:{free_port()}"))
    with mailing.app_context():
        drive = make_drive(season)
        for number in range(FAILURES_AT_ONCE + 2):
            message_teacher(slug=drive.slug, words=f"Hello {number}", by=rhea)
        assert sweep_notices() == 0
        assert db.session.query(DriveNotice).filter(DriveNotice.tries == 1).count() == FAILURES_AT_ONCE
    close_database(mailing)


def test_the_jobs_do_it_and_cost_little_where_there_is_nothing(
    app: Flask, season: Cast, rhea: Actor, mailbox: Mailbox
) -> None:
    with app.app_context():
        drive = make_drive(season)
        message_teacher(slug=drive.slug, words="Hello", by=rhea)
    jobs = queue_of(app).jobs
    assert list(jobs).index("notice_cases") < list(jobs).index("sweep_notices")
    for _ in range(2):
        jobs["notice_cases"]()
        jobs["sweep_notices"]()
    assert len(mailbox.read()) == 1
