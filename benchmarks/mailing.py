"""A mailing to the whole network, by real workers to a real mail server: ``python -m benchmarks.mailing``."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, insert, select

from benchmarks import machine, sink, stage
from wfr.cases.models import Case
from wfr.extensions import db, transaction, utc_now
from wfr.jobs import ring
from wfr.network.delivering import QUEUE
from wfr.network.models import Delivery, Frequency, Mailing, MailingCase, MailingState, MailingWords, Member, Sort

DATABASES = ("sqlite", "postgresql")
MEMBERS = 165_000
AT_ONCE = 5_000
LONGEST_SECONDS = 3600
LONGEST_START_SECONDS = 60
WARM_UP_SECONDS = 3
DOMAINS = 400
WORDS = "Ada Vale wrote a poem about a river, and was taken from her house the next morning. Write for her today.\n"


def main() -> None:
    """Send it with each number of workers on each database, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=DATABASES, action="append", help="Default: both.")
    parser.add_argument("--workers", type=int, action="append", help="Default: 1 and 2.")
    parser.add_argument("--members", type=int, default=MEMBERS)
    given = parser.parse_args()
    print(machine.description(), flush=True)
    for sort in given.database or DATABASES:
        with stage.open_stage(sort) as scene:
            _join(scene, given.members)
            print(f"{scene.database_version()}, {given.members:,} members:", flush=True)
            for workers in given.workers or (1, 2):
                print(f"  {workers} workers: {_send(scene, workers)}", flush=True)


@dataclass(frozen=True, slots=True)
class Sent:
    """How a mailing went: seconds from approval to the first and the last message, its size, the memory it took."""

    messages: int
    starting: float
    first: float
    last: float
    bytes_each: int
    peak_mib: float
    shares: machine.Shares

    def __str__(self) -> str:
        rate = self.messages / (self.last - self.first)
        return (
            f"{rate:,.0f} messages/s of {self.bytes_each:,} bytes; deliveries made after {self.starting:.1f} s, "
            f"first message {self.first:.1f} s, last {self.last:.1f} s after approval; "
            f"a worker took {self.peak_mib:.0f} MiB; cores: workers {self.shares.server:.2f}, database "
            f"{self.shares.database:.2f}, sink and others {self.shares.others:.2f}"
        )


def _send(scene: stage.Stage, workers: int) -> Sent:
    with sink.running() as server, _workers(scene, workers, server.port) as running:
        mailing_id = _approve(scene)
        approved = time.time()
        with scene.app.app_context():
            ring(QUEUE)
        watch = machine.Watch([each.pid for each in running], scene.postmaster)
        if not stage.wait_until(lambda: _is_done(scene, mailing_id), LONGEST_SECONDS):
            raise RuntimeError("the mailing did not come to its end")
        shares, peak = watch.shares(), max(_peak_mib(each.pid) for each in running)
        found = server.asked()
    made, started = _of(scene, mailing_id)
    if not made == found["taken"] == found["identities"] == found["recipients"]:
        raise RuntimeError(f"{made} deliveries, but the sink took {found}")
    return Sent(
        messages=made,
        starting=started - approved,
        first=found["first"] - approved,
        last=found["last"] - approved,
        bytes_each=int(found["bytes"]) // made,
        peak_mib=peak,
        shares=shares,
    )


@contextmanager
def _workers(scene: stage.Stage, count: int, port: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run real workers, and let them come to rest before anything is measured."""
    environ = {**scene.environ, "MAIL_URL": f"smtp://127.0.0.1:{port}"}
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "workers.log"
        said = stack.enter_context(log.open("wb"))
        running = []
        for _ in range(count):
            process = subprocess.Popen(
                [sys.executable, "-m", "wfr", "worker"],
                cwd=stage.ROOT,
                env=environ,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            stack.callback(stage.end, process)
            running.append(process)
        if not stage.wait_until(lambda: log.read_bytes().count(b"Jobs:") == count, LONGEST_START_SECONDS):
            raise RuntimeError(f"the workers did not come up:\n{log.read_text()}")
        time.sleep(WARM_UP_SECONDS)
        yield running


def _join(scene: stage.Stage, members: int) -> None:
    with scene.app.app_context():
        for start in range(0, members, AT_ONCE):
            rows = [
                {
                    "email": f"reader.{number}@mail{number % DOMAINS}.example.org",
                    "frequency": Frequency.EVERY,
                    "confirmed_at": utc_now(),
                }
                for number in range(start, min(start + AT_ONCE, members))
            ]
            with transaction() as session:
                session.execute(insert(Member), rows)
        db.session.remove()


def _approve(scene: stage.Stage) -> int:
    """Store a mailing about an open case as approved, and return its id."""
    with scene.app.app_context():
        with transaction() as session:
            case = session.scalars(select(Case).order_by(Case.id).limit(1)).one()
            mailing = Mailing(sort=Sort.URGENT, case_id=case.id, asks=True, state=MailingState.APPROVED)
            session.add(mailing)
            session.flush()
            session.add(MailingCase(mailing_id=mailing.id, case_id=case.id))
            text = WORDS * 40
            html = "".join(f"<p>{WORDS}</p>\n" for _ in range(80))
            session.add(
                MailingWords(
                    mailing_id=mailing.id,
                    language="en",
                    subject="Urgent Action: Ada Vale",
                    text=text,
                    html=f"<!doctype html><html lang=en><body>{html}</body></html>",
                )
            )
        db.session.remove()
        return mailing.id


def _is_done(scene: stage.Stage, mailing_id: int) -> bool:
    time.sleep(0.3)
    with scene.app.app_context():
        state = db.session.scalar(select(Mailing.state).where(Mailing.id == mailing_id))
        db.session.remove()
    return state == MailingState.DONE


def _of(scene: stage.Stage, mailing_id: int) -> tuple[int, float]:
    """Return how many deliveries a mailing has, and when they were made."""
    with scene.app.app_context():
        made = db.session.scalar(select(func.count()).where(Delivery.mailing_id == mailing_id)) or 0
        started = db.session.scalars(select(Mailing.started_at).where(Mailing.id == mailing_id)).one()
        db.session.remove()
    assert started is not None  # noqa: S101 -- it has been done
    return made, (started - utc_now()).total_seconds() + time.time()


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
