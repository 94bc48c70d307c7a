"""Mail that comes back is matched to its delivery, counted, and at last believed; nothing else changes anything."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import delete

from tests.conftest import make_settings
from tests.network.sending import approve, deliveries, join, locks, mailing_now, open_case
from wfr.cases.queries import today
from wfr.config import Settings
from wfr.extensions import db, transaction
from wfr.network import bouncing
from wfr.network.bouncing import bounce_address, read_bounce_folder, take_bounce
from wfr.network.delivering import send_mailings
from wfr.network.messages import message_id
from wfr.network.models import Delivery, DeliveryState, Mailing, MailingState, Member, SuppressedFor
from wfr.network.starting import start_due_mailings
from wfr.network.suppressing import suppressed_for

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

EMAIL = "reader.0@mail.example.org"
ADDRESSES = {"WFR_MAIL_FROM": "actions@example.org", "WFR_BOUNCE_ADDRESS": "back@lists.example.org"}
REPORT = """\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mail.example.org>
To: {to}
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

Nobody of that name lives here.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; reader.0@mail.example.org
Action: {action}
Status: {status}

--B
Content-Type: text/rfc822-headers

Subject: Urgent Action

--B--
"""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Mail comes back to an address of its own, whose Maildir is read."""
    return make_settings(tmp_path, database_url, **ADDRESSES, WFR_BOUNCE_FOLDER=tmp_path / "Maildir")


def report(to: str, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    return REPORT.format(to=to, action=action, status=status).encode()


def sent() -> Delivery:
    """Return a delivery that was sent just now."""
    mailing_id = approve(open_case() if not db.session.query(Delivery).count() else None, asks=False)
    send_mailings()
    return deliveries(mailing_id)[0]


def return_address(delivery: Delivery) -> str:
    return bounce_address(mailing_now(delivery.mailing_id).salt, delivery.id)


def state(delivery: Delivery) -> tuple[str, int | None]:
    """Return the state of a delivery, and how many bounces its member has had; None where she is erased."""
    db.session.rollback()
    db.session.expire_all()
    member = db.session.query(Member).one_or_none()
    return db.session.get_one(Delivery, delivery.id).state, member.bounces if member else None


def test_a_member_is_locked_before_her_messages_as_when_she_leaves(app: Flask) -> None:
    """In the other order, a bounce and her leaving would wait for each other."""
    with app.app_context():
        join(1)
        delivery = sent()
        with locks() as locked:
            assert take_bounce(report(return_address(delivery)))
        assert locked == ["members", "deliveries"]
        with locks() as locked:
            bouncing.bounce_refused("gone", delivery.id, 550)
        assert locked == ["members", "deliveries"]


def test_an_id_that_a_restore_gives_again_is_another_message(app: Flask) -> None:
    with app.app_context():
        join(2)
        mailing_id = approve(open_case(), asks=False)
        found = []
        for _ in range(2):
            with transaction() as session:
                session.execute(delete(Delivery))
                session.get_one(Mailing, mailing_id).state = MailingState.APPROVED
            start_due_mailings()
            salt = mailing_now(mailing_id).salt
            found.append(
                [(each.id, bounce_address(salt, each.id), message_id(salt, each.id)) for each in deliveries(mailing_id)]
            )
        (before, after) = found
        assert [each[0] for each in before] == [each[0] for each in after]
        assert not {words for each in before for words in each[1:]} & {words for each in after for words in each[1:]}
        assert not take_bounce(report(before[0][1]))
        assert take_bounce(report(after[0][1]))


def test_each_message_has_a_return_address_of_its_own(app: Flask) -> None:
    with app.app_context():
        found = {bounce_address(salt, each) for each in range(1, 100) for salt in (1, 2)}
    assert len(found) == 198
    assert all(re.fullmatch(r"back\+[0-9a-f]{21,28}@lists\.example\.org", each) for each in found)


@pytest.mark.parametrize("header", ["To: {}", "Delivered-To: {}", "X-Original-To: {}", "To: Us <{}>, them@x.example"])
def test_a_report_counts_wherever_its_return_address_stands_and_in_any_case(app: Flask, header: str) -> None:
    with app.app_context():
        join(1)
        delivery = sent()
        raw = report("back@lists.example.org").decode()
        line = header.format(return_address(delivery).upper())
        assert take_bounce(f"{line}\n{raw}".encode())
        assert state(delivery) == (DeliveryState.BOUNCED, 1)


def test_a_report_counts_once(app: Flask) -> None:
    with app.app_context():
        join(1)
        delivery = sent()
        raw = report(return_address(delivery))
        assert take_bounce(raw)
        assert not take_bounce(raw)
        assert state(delivery) == (DeliveryState.BOUNCED, 1)


def test_with_the_third_bounce_she_is_erased_and_nothing_is_sent_there_again(app: Flask) -> None:
    with app.app_context():
        join(1)
        for count in (1, 2):
            delivery = sent()
            take_bounce(report(return_address(delivery)))
            assert state(delivery) == (DeliveryState.BOUNCED, count)
        delivery = sent()
        take_bounce(report(return_address(delivery)))
        assert state(delivery) == (DeliveryState.BOUNCED, None)
        assert suppressed_for(db.session, EMAIL) is SuppressedFor.BOUNCED
        assert list((app.extensions["wfr.settings"].outbox).glob("*.eml")) == []


@pytest.mark.parametrize("status", ["5.7.1", "4.4.7", "5.4.7", "5.2.2", "5.3.2", "5.0.0", "5.1.8", "5.2.10", "", "x"])
def test_nobody_is_blamed_for_other_troubles_than_her_address(app: Flask, status: str) -> None:
    """An outage of the network or a full mailbox, three times, must not erase a member for good."""
    with app.app_context():
        join(1)
        delivery = sent()
        assert take_bounce(report(return_address(delivery), status=status))
        assert state(delivery) == (DeliveryState.FAILED, 0)


@pytest.mark.parametrize("status", ["5.1.1", "5.1.10", "5.2.1 (mailbox disabled)"])
def test_an_address_that_is_wrong_or_disabled_counts(app: Flask, status: str) -> None:
    with app.app_context():
        join(1)
        delivery = sent()
        assert take_bounce(report(return_address(delivery), status=status))
        assert state(delivery) == (DeliveryState.BOUNCED, 1)


def test_an_old_bounce_is_forgotten(app: Flask) -> None:
    with app.app_context():
        join(1, bounces=2, bounced_on=today() - timedelta(days=91))
        delivery = sent()
        take_bounce(report(return_address(delivery)))
        assert state(delivery) == (DeliveryState.BOUNCED, 1)
        assert db.session.query(Member).one().bounced_on == today()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows by one with each part that the mail parser reads."""
    found: list[int] = []
    plain = Message.__init__

    def counting(self: Message, *args: Any, **named: Any) -> None:
        found.append(1)
        plain(self, *args, **named)

    monkeypatch.setattr(Message, "__init__", counting)
    return found


def monster(to: str) -> bytes:
    """Return a mail of a megabyte, nested as deep as it goes."""
    levels = "".join(f"Content-Type: multipart/mixed; boundary={level}\n\n--{level}\n" for level in range(18_000))
    return f"To: {to}\nMIME-Version: 1.0\n{levels}".encode()


def test_of_foreign_mail_no_more_than_its_header_is_read(app: Flask, parsed: list[int]) -> None:
    with app.app_context():
        assert not take_bounce(monster("back+0123456789ab1@lists.example.org"))
        assert len(parsed) == 1
        assert not take_bounce(b"To: back@lists.example.org\n" * 40_000)
        assert len(parsed) == 1


def test_nothing_is_read_as_deep_as_it_is_nested(app: Flask, parsed: list[int]) -> None:
    with app.app_context():
        join(1)
        delivery = sent()
        ours = return_address(delivery)
        parsed.clear()
        assert not take_bounce(monster(ours))
        assert len(parsed) == 1
        parsed.clear()
        blocks = b"\n\nAction: relayed" * 5_000
        assert not take_bounce(report(ours, action="relayed").replace(b"\nAction: relayed", blocks))
        assert len(parsed) < 30
        assert state(delivery) == (DeliveryState.SENT, 0)


def test_one_run_takes_no_more_than_its_time(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bouncing, "SECONDS_A_RUN", -1.0)
    folder = tmp_path / "Maildir" / "new"
    folder.mkdir(parents=True)
    (tmp_path / "Maildir" / "cur").mkdir()
    for name in ("1.a", "2.b"):
        (folder / name).write_bytes(b"To: nobody@example.org\n\n")
    with app.app_context():
        left = []
        for _ in range(2):
            read_bounce_folder()
            left.append(len(list(folder.iterdir())))
    assert left == [1, 0]


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded", ""])
def test_what_has_not_failed_changes_nothing(app: Flask, action: str) -> None:
    with app.app_context():
        join(1)
        delivery = sent()
        assert not take_bounce(report(return_address(delivery), action=action))
        assert state(delivery) == (DeliveryState.SENT, 0)


def test_forged_foreign_and_odd_mail_changes_nothing(app: Flask) -> None:
    with app.app_context():
        join(1)
        delivery = sent()
        ours = return_address(delivery)
        code = ours[5:17]
        forged = [
            ours.replace(code, "0" * 12),
            ours.replace(f"{delivery.id:x}@", f"{delivery.id + 1:x}@"),
            ours.replace("lists.", "listsx"),
            f"x{ours}",
            f"{ours}.example.com",
            "back@lists.example.org",
            bounce_address(mailing_now(delivery.mailing_id).salt, 999),
        ]
        odd = [
            b"",
            b"\x00\xff" * 500,
            b"To: " + ours.encode() + b"\n\nI am on holiday.",
            b"Content-Type: multipart/report; boundary=\n\n--\n",
            report(ours).replace(b"Action: failed", b"Action: =?utf-8?x?failed?="),
            report(ours).replace(b"message/delivery-status", b"text/plain"),
            report(ours).replace(b"\nTo: ", b"\nX-To: "),
            b"To: <" * 100_000,
        ]
        assert not any(take_bounce(report(each)) for each in forged)
        assert not any(take_bounce(each) for each in odd)
        assert state(delivery) == (DeliveryState.SENT, 0)


def test_a_huge_report_is_read_as_far_as_it_matters(app: Flask) -> None:
    with app.app_context():
        join(1)
        delivery = sent()
        assert take_bounce(report(return_address(delivery)) + b"x" * 5_000_000)
        assert state(delivery) == (DeliveryState.BOUNCED, 1)


def test_the_folder_is_read_and_emptied(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        assert read_bounce_folder() == 0
        for name in ("new", "cur", "tmp"):
            (tmp_path / "Maildir" / name).mkdir(parents=True)
        join(1)
        delivery = sent()
        (tmp_path / "Maildir" / "new" / "1.a").write_bytes(report(return_address(delivery)))
        (tmp_path / "Maildir" / "cur" / "2.b:2,S").write_bytes(b"\x00" * 2_000_000)
        (tmp_path / "Maildir" / "new" / "3.c").mkdir()
        assert read_bounce_folder() == 1
        assert state(delivery) == (DeliveryState.BOUNCED, 1)
        assert [each.name for each in (tmp_path / "Maildir").rglob("*") if each.is_file()] == []


def test_the_mail_server_can_pipe_it_in(app: Flask, settings: Settings, tmp_path: Path) -> None:
    with app.app_context():
        join(1)
        delivery = sent()
        raw = report(return_address(delivery))
    assert settings.secret_key
    environ = {
        "WFR_DATA": str(tmp_path),
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        **ADDRESSES,
    }
    command = [sys.executable, "-m", "wfr", "network", "bounce"]
    done = subprocess.run(command, env=environ, input=raw, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"A delivery has failed for good.\n")
    with app.app_context():
        assert state(delivery) == (DeliveryState.BOUNCED, 1)


def test_who_came_back_can_be_let_in_again_by_hand(app: Flask) -> None:
    with app.app_context():
        join(1)
        for _ in range(3):
            take_bounce(report(return_address(sent())))
    runner: FlaskCliRunner = app.test_cli_runner()
    assert runner.invoke(args=["network", "release", EMAIL.upper()]).exit_code == 0
    again = runner.invoke(args=["network", "release", EMAIL])
    assert again.exit_code == 1
    assert EMAIL not in again.output
    with app.app_context():
        assert suppressed_for(db.session, EMAIL) is None
