"""How far mailings have come, and whom one would reach: counted by the database, cheaply enough to be asked often."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import case, func, select

from wfr.extensions import db, kept, settings, utc_now
from wfr.network.audience import recipients
from wfr.network.models import Delivery, DeliveryState, Mailing, MailingState, UrgentIssue

LIVE_SECONDS = 1.0
"""How old the numbers of a running mailing may be; each process counts once in this time, however many look on."""

COUNTING_SHARE = 0.1
"""Of its time a process spends at most so much on counting a mailing: where that takes long, numbers are older."""

MEDIAN_SECONDS = 30.0
"""How old the median of one that is not over may be: it reads half of what was sent, in order."""

SETTLED_SECONDS = 300.0
"""How old the numbers of one that does not run may be."""

STALE = 0.1
"""How old those of one that is over may be, as a share of the time since: only a bounce that comes late moves them."""

ESTIMATE_SECONDS = 10.0
KEPT_MAILINGS = 200
RATE_OVER = timedelta(seconds=10)
SMALLEST_MEASURE = 100
"""Messages below which a mailing's duration says nothing of the rate."""

ON_THE_WAY = (DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.SENDING)


@dataclass(slots=True)
class Progress:
    """The messages of a mailing by what became of them, and when they went.

    `codes` are the mail server's answers (RFC 5321) to what was not sent, the most frequent first, each with the state
    of its messages: ``waiting`` are tried again. `per_second` is the rate of the last `RATE_OVER` while it runs, of the
    whole mailing afterwards. `clock` is the moment that readers' waiting is counted from. `took` is how many seconds
    counting took.
    """

    states: Counter[str] = field(default_factory=Counter)
    codes: list[tuple[int, str, int]] = field(default_factory=list)
    per_second: float = 0
    clock: datetime | None = None
    first: datetime | None = None
    median: datetime | None = None
    last: datetime | None = None
    took: float = 0

    @property
    def total(self) -> int:
        """All messages, one a member."""
        return self.states.total()

    @property
    def sent(self) -> int:
        """Messages that a mail server, or the outbox, has taken; those that came back later are not among them."""
        return self.states[DeliveryState.SENT]

    @property
    def waiting(self) -> int:
        """Messages that have not left, and of which nobody has given up."""
        return sum(self.states[state] for state in ON_THE_WAY)

    @property
    def percent(self) -> float:
        """How much of the mailing is settled."""
        return 100 * (self.total - self.waiting) / self.total if self.total else 0

    def since_clock(self, moment: datetime | None) -> timedelta | None:
        """Return how long after `clock` a moment came, or None where one of both is not known."""
        return max(moment - self.clock, timedelta(0)) if moment and self.clock else None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Who would get a mailing if it started now, by language, the most frequent first, and how long that takes.

    `per_second` is measured (`measured`) or set; None, as is `duration`, where neither is known. `by_domain` says that
    domains have limits of their own, which a rate that is set leaves out.
    """

    languages: list[tuple[str, int]]
    per_second: float | None
    measured: bool
    by_domain: bool

    @property
    def recipients(self) -> int:
        """How many members get it."""
        return sum(count for _language, count in self.languages)

    @property
    def duration(self) -> timedelta | None:
        """How long it takes from the first message to the last."""
        return timedelta(seconds=self.recipients / self.per_second) if self.per_second else None


def progress_of(mailing: Mailing) -> Progress:
    """Return how far a mailing has come, as old as `kept_for` and `COUNTING_SHARE` allow."""
    name = f"progress {mailing.id} {mailing.state} {mailing.revision} {mailing.finished_at}"
    last = kept().get(name, float("inf"), lambda: _count(mailing))
    found = kept().get(name, max(kept_for(mailing), last.took / COUNTING_SHARE), lambda: _count(mailing))
    kept().keep_newest("progress ", KEPT_MAILINGS)
    return found


def kept_for(mailing: Mailing) -> float:
    """Return for how many seconds the numbers of a mailing stay good enough: the longer, the longer it is over."""
    if mailing.state == MailingState.RUNNING:
        return LIVE_SECONDS
    over = utc_now() - mailing.finished_at if mailing.finished_at else timedelta(0)
    return max(SETTLED_SECONDS, STALE * over.total_seconds())


def estimate_of(mailing: Mailing) -> Estimate:
    """Return who would get a mailing now and how long that would take, some seconds old at most."""
    name = f"estimate {mailing.id} {mailing.revision}"
    languages = kept().get(name, ESTIMATE_SECONDS, lambda: _recipients_by_language(mailing))
    kept().keep_newest("estimate ", KEPT_MAILINGS)
    measured = kept().get("mailing rate", ESTIMATE_SECONDS, _measured_rate)
    rate = measured or settings().mail_rate or None
    return Estimate(languages, rate, measured=measured is not None, by_domain=settings().mail_domain_rate > 0)


def _count(mailing: Mailing) -> Progress:
    began = time.monotonic()
    recent = func.sum(case((Delivery.settled_at >= utc_now() - RATE_OVER, 1), else_=0))
    counted = (
        select(
            Delivery.state,
            Delivery.code,
            func.count(),
            recent,
            func.min(Delivery.settled_at),
            func.max(Delivery.settled_at),
        )
        .where(Delivery.mailing_id == mailing.id)
        .group_by(Delivery.state, Delivery.code)
    )
    progress, lately = Progress(clock=_clock(mailing)), 0
    firsts, lasts = [], []
    for state, code, count, fresh, first, last in db.session.execute(counted):
        progress.states[state] += count
        if state == DeliveryState.SENT:
            lately += fresh
            firsts.append(first)
            lasts.append(last)
        elif code is not None:
            progress.codes.append((code, state, count))
    progress.codes.sort(key=lambda each: (-each[2], each[0]))
    progress.first, progress.last = min(filter(None, firsts), default=None), max(filter(None, lasts), default=None)
    progress.per_second = _rate(mailing, progress, lately)
    progress.took = time.monotonic() - began
    progress.median = _median(mailing, progress.sent) if progress.sent else None
    return progress


def _rate(mailing: Mailing, progress: Progress, lately: int) -> float:
    if mailing.started_at is None:
        return 0
    if mailing.state == MailingState.RUNNING:
        # In its first seconds a mailing has not run for as long as the rate looks back.
        run = min(utc_now() - mailing.started_at, RATE_OVER)
        return lately / max(run.total_seconds(), 1)
    end = mailing.finished_at or progress.last
    return progress.sent / max((end - mailing.started_at).total_seconds(), 1) if end else 0


def _median(mailing: Mailing, sent: int) -> datetime | None:
    mine = Delivery.mailing_id == mailing.id, Delivery.state == DeliveryState.SENT
    middle = select(Delivery.settled_at).where(*mine).order_by(Delivery.settled_at).offset(sent // 2).limit(1)
    if mailing.state != MailingState.RUNNING:
        return db.session.scalar(middle)
    found = kept().get(f"median {mailing.id}", MEDIAN_SECONDS, lambda: db.session.scalar(middle))
    kept().keep_newest("median ", KEPT_MAILINGS)
    return found


def _clock(mailing: Mailing) -> datetime | None:
    """Return when an issue's mailing was wanted: when the issue was issued; of others, the hour that was chosen."""
    issue = db.session.get(UrgentIssue, mailing.issue_id) if mailing.issue_id else None
    return (issue.issued_at if issue else None) or mailing.start_at or mailing.approved_at


def _recipients_by_language(mailing: Mailing) -> list[tuple[str, int]]:
    wanted = recipients(db.session, mailing).subquery()
    language = wanted.c[1]
    counted = select(language, func.count()).group_by(language).order_by(func.count().desc(), language)
    return [(tag, count) for tag, count in db.session.execute(counted)]


def _measured_rate() -> float | None:
    """Return how many messages a second the last mailing sent that was large enough to tell."""
    done = select(Mailing).where(Mailing.state == MailingState.DONE, Mailing.started_at.is_not(None))
    for mailing in db.session.scalars(done.order_by(Mailing.finished_at.desc()).limit(10)):
        progress = progress_of(mailing)
        if progress.sent >= SMALLEST_MEASURE:
            return progress.per_second
    return None
