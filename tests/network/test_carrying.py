"""What the mail server says, and what follows: spoken with real servers on this machine."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from flask import Flask
from sqlalchemy import select, update

from benchmarks import sink
from benchmarks.sink import Fault, fault_of
from tests.network.sending import TEXT, another, approve, deliveries, join, mailing_now, open_case
from tests.programs import free_port
from wfr import carrier
from wfr.carrier import NotTaken, ServerAway, ServerCarrier, open_carrier
from wfr.extensions import db, transaction, utc_now
from wfr.network import delivering
from wfr.network.delivering import send_mailings
from wfr.network.models import Delivery, DeliveryState, MailingState, Member

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HEADERS = (
    "Subject: Ada Vale",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
)
MESSAGE = "\r\n".join((*HEADERS, "", *TEXT.split("\n"))).encode()


def states(mailing_id: int) -> list[str]:
    return [each.state for each in deliveries(mailing_id)]


@SQLITE
def test_what_the_server_does_not_take_is_tried_again_given_up_or_comes_back(app: Flask, tmp_path: Path) -> None:
    with sink.running(faults=True, record=tmp_path / "taken") as server, app.app_context():
        join(300)
        mailing_id = approve(open_case())
        with another(app, MAIL_URL=f"smtp://127.0.0.1:{server.port}"):
            send_mailings()
            began = utc_now()
            of = {email: fault_of(email) for email in db.session.scalars(select(Member.email))}
            assert set(of.values()) == {None, *Fault}
            waiting: dict[Fault | None, tuple[str, int, float, int | None]] = {
                None: (DeliveryState.SENT, 0, 0, 250),
                Fault.BUSY: (DeliveryState.WAITING, 1, 60, 450),
                Fault.GREYLISTED: (DeliveryState.WAITING, 1, 60, 451),
                Fault.UNKNOWN: (DeliveryState.BOUNCED, 0, 0, 550),
                Fault.DROPPED: (DeliveryState.WAITING, 1, 10, None),
                Fault.DROPPED_LATE: (DeliveryState.WAITING, 1, 10, None),
            }
            for one, email in by_address(mailing_id):
                # Where the line goes dead before the message was begun it is begun anew at once.
                if of[email] is Fault.DROPPED_EARLY:
                    continue
                state, tries, pause, code = waiting[of[email]]
                assert (one.state, one.tries, one.code) == (state, tries, code), of[email]
                if pause:
                    assert one.next_try_at is not None
                    assert -5 < (one.next_try_at - began).total_seconds() - pause <= 0.1
            assert send_mailings() == 0, "not before the pause is over"
            assert mailing_now(mailing_id).state == MailingState.RUNNING
            make_due()
            send_mailings()
            assert set(states(mailing_id)) == {DeliveryState.SENT, DeliveryState.BOUNCED}
            assert mailing_now(mailing_id).state == MailingState.DONE
            bounced = db.session.scalars(select(Member.email).where(Member.bounces == 1)).all()
            assert set(bounced) == {email for email, fault in of.items() if fault is Fault.UNKNOWN}


def by_address(mailing_id: int) -> list[tuple[Delivery, str]]:
    found = deliveries(mailing_id)
    return [(one, db.session.get_one(Member, one.member_id).email) for one in found]


def make_due() -> None:
    """Let every pause be over."""
    with transaction() as session:
        waiting = update(Delivery).where(Delivery.next_try_at.is_not(None), Delivery.settled_at.is_(None))
        session.execute(waiting.values(next_try_at=utc_now()))


class Says:
    """A mail server that says what the test tells it to."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.taken: list[Envelope] = []
        self.eight = True
        self.nobody = "nobody at all"
        self.on_one_connection = 1_000
        self.takes_seconds = 0.0
        self._begun: Counter[Any] = Counter()

    async def handle_EHLO(  # noqa: N802 -- the library's
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [each for each in responses if self.eight or "8BITMIME" not in each]

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self._begun[session.peer] += 1
        if self._begun[session.peer] > self.on_one_connection:
            return "421 that was enough"
        envelope.mail_from = address
        return self.answers.get("mail", "250 ok")

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith(self.nobody):
            return "550 5.1.1 nobody"
        envelope.rcpt_tos.append(address)
        return self.answers.get("rcpt", "250 ok")

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(envelope)
        await asyncio.sleep(self.takes_seconds)
        return self.answers.get("data", "250 ok")


@contextmanager
def saying(says: Says, port: int | None = None) -> Iterator[str]:
    """Run such a server; gives its address for MAIL_URL."""
    port = port or free_port()
    controller = Controller(says, hostname="127.0.0.1", port=port, server_hostname="localhost")
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


@SQLITE
def test_after_eight_tries_a_message_has_visibly_failed(app: Flask) -> None:
    with saying(Says(rcpt="450 later")) as address, app.app_context():
        join(1)
        mailing_id = approve(open_case())
        pauses = []
        with another(app, MAIL_URL=address):
            for _ in range(8):
                send_mailings()
                (one,) = deliveries(mailing_id)
                if one.next_try_at is not None:
                    pauses.append(round((one.next_try_at - utc_now()).total_seconds() / 60))
                make_due()
            (one,) = deliveries(mailing_id)
            assert (one.state, one.tries, one.code) == (DeliveryState.FAILED, 8, 450)
            assert pauses[:7] == [1, 4, 16, 64, 240, 240, 240]
            assert mailing_now(mailing_id).state == MailingState.DONE


@SQLITE
@pytest.mark.parametrize(
    ("answers", "state", "bounces"),
    [
        ({"rcpt": "550 5.1.1 nobody"}, DeliveryState.BOUNCED, 1),
        ({"rcpt": "550 nobody"}, DeliveryState.BOUNCED, 1),
        ({"rcpt": "550 5.7.1 we do not like you"}, DeliveryState.WAITING, 0),
        ({"rcpt": "552 5.2.2 mailbox full"}, DeliveryState.WAITING, 0),
        ({"rcpt": "554 blocked, see http://5.1.1.7/"}, DeliveryState.WAITING, 0),
        ({"data": "554 5.6.0 no"}, DeliveryState.FAILED, 0),
        ({"mail": "553 5.1.8 who are you?"}, DeliveryState.WAITING, 0),
    ],
)
def test_only_an_address_that_is_refused_counts_against_its_reader(
    app: Flask, answers: dict[str, str], state: str, bounces: int
) -> None:
    """Who refuses the sender refuses every message alike: nobody is left out because of our own mistake."""
    with saying(Says(**answers)) as address, app.app_context():
        join(1)
        mailing_id = approve(open_case())
        with another(app, MAIL_URL=address):
            send_mailings()
            assert states(mailing_id) == [state]
            assert db.session.scalars(select(Member.bounces)).all() == [bounces]


@SQLITE
def test_a_server_that_refuses_everybody_is_not_believed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "RESTS", ())
    with saying(Says(rcpt="550 no")) as address, app.app_context():
        join(30)
        mailing_id = approve(open_case())
        with another(app, MAIL_URL=address):
            send_mailings()
            tried = [(each.state, each.tries) for each in deliveries(mailing_id)]
            assert tried == [(DeliveryState.WAITING, 1)] * 20 + [(DeliveryState.WAITING, 0)] * 10
            assert set(db.session.scalars(select(Member.bounces))) == {0}


@SQLITE
def test_nineteen_dead_addresses_in_a_row_are_dead(app: Flask) -> None:
    says = Says()
    says.nobody = "dead."
    with saying(says) as address, app.app_context():
        # Between one row and the next somebody is taken.
        for name in ("dead.one", "one", "dead.two"):
            join(19, name=name)
        mailing_id = approve(open_case())
        with another(app, MAIL_URL=address):
            assert send_mailings() == 19
            bounced = {email.startswith("dead.") for one, email in by_address(mailing_id) if one.state == "bounced"}
            assert bounced == {True}
            assert states(mailing_id).count(DeliveryState.BOUNCED) == 38


@SQLITE
def test_a_server_that_takes_so_many_on_one_connection_is_called_again_at_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "RESTS", ())
    says = Says()
    says.on_one_connection = 3
    with saying(says) as address, app.app_context():
        join(10)
        approve(open_case())
        with another(app, MAIL_URL=address):
            assert send_mailings() == 10


@SQLITE
def test_the_end_of_a_message_may_be_answered_late(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "ANSWER_SECONDS", 1.5)
    says = Says()
    says.takes_seconds = 1.8
    with saying(says) as address, another(app, MAIL_URL=address):
        opened = open_carrier()
        opened.carry(sender="us@localhost", to="her@example.org", data=MESSAGE)
        assert isinstance(opened, ServerCarrier)
        assert opened._open().sock.gettimeout() == 1.5, "any other answer comes soon"  # type: ignore[union-attr]
        opened.close()


@SQLITE
def test_a_message_taken_between_two_rests_counts(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "RESTS", (0.0,))
    with app.app_context():
        join(9)
        mailing_id = approve(open_case())

        class Away:
            """Is away for every second message."""

            def __init__(self) -> None:
                self.asked = 0

            def carry(self, *, sender: str, to: str, data: bytes) -> None:  # noqa: ARG002
                self.asked += 1
                if self.asked % 2 == 0:
                    raise ServerAway("busy", begun=False)

            def close(self) -> None:
                pass

        monkeypatch.setattr(delivering, "open_carrier", Away)
        assert send_mailings() == 9
        assert set(states(mailing_id)) == {DeliveryState.SENT}


@SQLITE
def test_a_server_that_is_away_costs_no_try(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "RESTS", (0.0, 0.0, 0.0))
    with app.app_context():
        join(2)
        mailing_id = approve(open_case())
        with another(app, MAIL_URL=f"smtp://127.0.0.1:{free_port()}"):
            assert send_mailings() == 0
            found = {(each.state, each.claim, each.tries) for each in deliveries(mailing_id)}
            assert found == {(DeliveryState.WAITING, None, 0)}


@SQLITE
def test_a_server_that_hung_up_meanwhile_is_called_again(app: Flask) -> None:
    port = free_port()
    with another(app, MAIL_URL=f"smtp://127.0.0.1:{port}"):
        opened, envelope = open_carrier(), {"sender": "us@localhost", "to": "her@example.org"}
        for _ in range(2):
            says = Says()
            with saying(says, port):
                opened.carry(**envelope, data=MESSAGE)
                opened.carry(**envelope, data=MESSAGE)
            assert len(says.taken) == 2
        with pytest.raises(ServerAway):
            opened.carry(**envelope, data=MESSAGE)
        opened.close()


@SQLITE
@pytest.mark.parametrize("eight", [True, False])
def test_a_message_arrives_as_it_is_also_where_no_eighth_bit_is_taken(app: Flask, eight: bool) -> None:
    says = Says()
    says.eight = eight
    with saying(says) as address, another(app, MAIL_URL=address):
        opened = open_carrier()
        opened.carry(sender="back+1@localhost", to="her@example.org", data=MESSAGE)
        opened.close()
    (envelope,) = says.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("back+1@localhost", ["her@example.org"])
    assert isinstance(envelope.content, bytes)
    assert envelope.content.isascii() is not eight
    arrived = message_from_bytes(envelope.content, policy=policy.default)
    assert arrived.get_content().replace("\r\n", "\n") == TEXT


@SQLITE
@pytest.mark.parametrize("to", ["her@example.org>\r\nDATA", "her @example.org", "<her@example.org", "hér@example.org"])
def test_no_address_can_become_a_command(app: Flask, to: str) -> None:
    says = Says()
    with saying(says) as address, another(app, MAIL_URL=address), pytest.raises(NotTaken):
        open_carrier().carry(sender="us@localhost", to=to, data=MESSAGE)
    assert says.taken == []
