"""A mailing that everything goes wrong with: nobody is left out, nobody gets two, and who has left gets none."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from benchmarks import sink
from benchmarks.sink import Fault, fault_of
from tests.network.sending import approve, join, mailing_now, open_case
from tests.workers import Workers, workers
from wfr import jobs
from wfr.config import Settings
from wfr.extensions import db, transaction, utc_now
from wfr.network.delivering import QUEUE
from wfr.network.links import LinkFor, link_token
from wfr.network.messages import message_id
from wfr.network.models import Delivery, DeliveryState, MailingState, Member

pytestmark = pytest.mark.faults

LEAVING_THREADS = 4
RING_SECONDS = 0.5
LONGEST_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Size:
    """How many members, and how many of them leave; how often a worker is killed, first and then after so many.

    At least `killed_at_work` of these had claims in their hands that others took over.
    """

    members: int
    leavers: int
    kills: int
    first_kill_at: int
    between_kills: int
    killed_at_work: int


SIZES = {"postgresql": Size(10_000, 500, 20, 300, 300, 5), "sqlite": Size(1_000, 100, 5, 100, 100, 2)}


class Record:
    """What the sink took, read from its file as it grows."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.touch()

    def lines(self) -> list[tuple[float, str, str]]:
        """Return when which Message-ID was taken for whom."""
        whole = self._file.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        return [(float(at), identity, to) for at, identity, to in (line.split("\t") for line in whole)]

    def count(self) -> int:
        """Return how many messages were taken."""
        return self._file.read_bytes().count(b"\n")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the workers say."""
    return tmp_path / "workers.log"


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "taken.tsv")


@pytest.fixture
def crew(settings: Settings, record: Record, empty_database: str, log: Path) -> Iterator[Workers]:
    """Workers whose mail server is a sink that treats three recipients in ten badly."""
    assert settings.secret_key
    with sink.running(faults=True, record=record._file) as server:
        environ = {
            "PATH": os.environ["PATH"],
            "WFR_DATA": str(settings.data),
            "DATABASE_URL": empty_database,
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "MAIL_URL": f"smtp://127.0.0.1:{server.port}",
        }
        with workers(environ, log) as started:
            yield started


def test_nobody_is_left_out_nobody_gets_two_and_who_has_left_gets_none(
    app: Flask, crew: Workers, record: Record, log: Path
) -> None:
    with app.app_context():
        size = SIZES[db.engine.dialect.name]
        members = join(size.members)
        everybody = [member.email for member in members]
        mailing_id = approve(open_case())
        tokens = {
            member.email: link_token(member, LinkFor.LEAVE) for member in members[:: size.members // size.leavers]
        }
        answered: dict[str, float] = {}
        leaving = Leaving(app, tokens, answered, record, size)
        alive = [crew.start(), crew.start()]
        ring_until(lambda: record.count() > 0)
        leaving.start()
        for number in range(size.kills):
            enough = size.first_kill_at + size.between_kills * number
            ring_until(lambda enough=enough: record.count() >= enough)  # type: ignore[misc]
            crew.kill(alive[number % 2])
            alive[number % 2] = crew.start()
        ring_until(leaving.over)
        ring_until(lambda: mailing_now(mailing_id).state == MailingState.DONE)
        taken = record.lines()
        everybody_has_exactly_one(mailing_id, everybody, set(tokens), taken)
        assert repeats(taken) <= size.kills
        taken_over = log.read_text().count("mailing_claims_taken_over")
        assert taken_over >= size.killed_at_work, "they were killed while they did nothing"
        late = [to for at, _identity, to in taken if at > answered.get(to, float("inf"))]
        assert late == []
        assert len(answered) == size.leavers
        spared = set(tokens) - {to for _at, _identity, to in taken}
        assert len(spared) > size.leavers // 4, "they left too late to show anything"


def everybody_has_exactly_one(
    mailing_id: int, everybody: list[str], leavers: set[str], taken: list[tuple[float, str, str]]
) -> None:
    identities: dict[str, set[str]] = defaultdict(set)
    for _at, identity, to in taken:
        identities[to].add(identity)
    deliverable = {to for to in everybody if fault_of(to) is not Fault.UNKNOWN}
    lost = deliverable - leavers - set(identities)
    assert lost == set()
    assert all(len(each) == 1 for each in identities.values()), "a repeated message must have the same Message-ID"
    assert len({identity for each in identities.values() for identity in each}) == len(identities)
    salt = mailing_now(mailing_id).salt
    expected = {member_id: message_id(salt, delivery) for delivery, member_id in _of_members(mailing_id)}
    addresses = {each.id: each.email for each in db.session.execute(select(Member.id, Member.email))}
    assert all(identities[addresses[member_id]] <= {identity} for member_id, identity in expected.items())
    counted = select(Delivery.state, func.count()).where(Delivery.mailing_id == mailing_id).group_by(Delivery.state)
    states = {state: count for state, count in db.session.execute(counted)}  # noqa: C416 -- a row is no pair
    assert set(states) == {DeliveryState.SENT, DeliveryState.BOUNCED, DeliveryState.SKIPPED}
    unknown = set(everybody) - deliverable
    assert len(unknown - leavers) <= states[DeliveryState.BOUNCED] <= len(unknown)


def repeats(taken: list[tuple[float, str, str]]) -> int:
    """Return how many copies too many were taken. One whose answer was lost is repeated by right, once."""
    times = Counter(to for _at, _identity, to in taken)
    return sum(count - (2 if fault_of(to) is Fault.DROPPED_LATE else 1) for to, count in times.items() if count > 1)


def _of_members(mailing_id: int) -> list[tuple[int, int]]:
    found = select(Delivery.id, Delivery.member_id).where(
        Delivery.mailing_id == mailing_id, Delivery.member_id.is_not(None)
    )
    return [(delivery, member_id) for delivery, member_id in db.session.execute(found) if member_id is not None]


def ring_until(reached: Callable[[], bool]) -> None:
    """Wait for something, as a sweep would find the work each minute, and as if pauses between tries had passed."""
    ends, rings = time.monotonic() + LONGEST_SECONDS, 0.0
    while not reached():
        assert time.monotonic() < ends, "it takes too long"
        if time.monotonic() > rings:
            with transaction() as session:
                session.execute(
                    update(Delivery)
                    .where(Delivery.settled_at.is_(None), Delivery.next_try_at > utc_now())
                    .values(next_try_at=utc_now())
                )
            jobs.ring(QUEUE)
            rings = time.monotonic() + RING_SECONDS
        time.sleep(0.05)


class Leaving:
    """People who leave while the mailing runs; each notes when she was answered."""

    def __init__(
        self, app: Flask, tokens: dict[str, str], answered: dict[str, float], record: Record, size: Size
    ) -> None:
        self._app = app
        self._answered = answered
        self._record = record
        self._size = size
        people = list(tokens.items())
        self._threads = [
            threading.Thread(target=self._leave, args=(people[place::LEAVING_THREADS],), daemon=True)
            for place in range(LEAVING_THREADS)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def over(self) -> bool:
        """Say whether all have left."""
        return not any(thread.is_alive() for thread in self._threads)

    def _leave(self, people: list[tuple[str, str]]) -> None:
        # As the one click of a mail program does it: no cookie, no page of ours before, no redirect after.
        click = FlaskClient(self._app, self._app.response_class, use_cookies=False)
        for place, (email, token) in enumerate(people):
            # Spread over the mailing, and always among those whose turn is soon.
            reached = place * self._size.members * 4 // 5 // len(people)
            while self._record.count() < reached:
                time.sleep(0.05)
            answer = click.post(f"/network/leave/{token}", data={"List-Unsubscribe": "One-Click"})
            if answer.status_code == HTTPStatus.OK:
                self._answered[email] = time.time()
