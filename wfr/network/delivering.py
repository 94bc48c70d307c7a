"""Sending: what waits is taken in batches and handed to the mail server, one message after the other."""

from __future__ import annotations

import math
import threading
import time
from contextlib import ExitStack
from datetime import timedelta

import structlog

from wfr import jobs, telemetry
from wfr.carrier import Carrier, NotTaken, ServerAway, open_carrier
from wfr.cases.queries import today
from wfr.errors import Refused
from wfr.extensions import db, transaction, utc_now
from wfr.network import claiming
from wfr.network.bouncing import bounce_addresses, bounce_refused
from wfr.network.claiming import Taken, Worker
from wfr.network.marking import MailingNow, Marker
from wfr.network.messages import Pattern, UnsafeAddress, pattern_of
from wfr.network.models import DeliveryState, Mailing, MailingState, MailingWords
from wfr.network.pacing import pace
from wfr.network.starting import start_due_mailings
from wfr.network.stopping import cases_of, obstacle, only_told_of, stop_fallen

QUEUE = "send_mailings"
"""The job that sends what waits; whoever approves or resumes a mailing rings for it after the commit."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 4, 16, 64, 240, 240, 240))
"""How long a message waits after each try before the next; after one more it has failed."""
AFTER_DROP = timedelta(seconds=10)
"""How long it waits where the line went dead in the middle of its first try."""
RESTS = (2.0, 5.0, 15.0)
"""Seconds to wait for a server that is away; then the run is given up, and the next minute's begins anew."""
DROPS_IN_A_ROW = 3
REFUSALS_IN_A_ROW = 20
"""Where nobody was taken between so many refused recipients, the server means us and not them."""
PASSED_ON_SECONDS = 2.5
"""Longer than another process waits between two looks at the queue where nobody wakes it."""
PASSES_ON_EVERY_SECONDS = 50.0
"""Bells that are rung again each time they are heard would never fall silent; less than a sweep, which may call too."""

log = structlog.get_logger(__name__)
_turn = threading.Lock()
_passing_on = threading.Lock()
_passed_on_at = -math.inf


def send_mailings() -> int:
    """Start what is due, then send what waits until nothing is due any more; return how many messages were sent.

    One run at a time in a process; several processes share the work. It ends between two messages when the process is
    told to end. What goes wrong with one message is noted with it; a server that is away ends the run.
    """
    start_due_mailings()
    if not _turn.acquire(blocking=False):
        _pass_on()
        return 0
    try:
        claiming.free_orphans()
        if claiming.something_waits():
            return _send_all()
        claiming.finish_mailings()
        return 0
    finally:
        _turn.release()


def _pass_on() -> None:
    """Ring for another process to come, once in a while, as this one is at it already; nobody may come."""
    global _passed_on_at  # noqa: PLW0603 -- one for the process, as its turn is
    if not _passing_on.acquire(blocking=False):
        return
    try:
        if time.monotonic() - _passed_on_at < PASSES_ON_EVERY_SECONDS:
            return
        _passed_on_at = time.monotonic()
        jobs.ring(QUEUE)
        # This thread would be the first to hear its own bell.
        jobs.rest(PASSED_ON_SECONDS)
    finally:
        _passing_on.release()


def _send_all() -> int:
    with ExitStack() as stack:
        worker = Worker()
        stack.callback(worker.sign_off)
        run = Run(worker)
        stack.callback(run.close)
        jobs.ring(QUEUE)
        run.go_on()
    claiming.finish_mailings()
    log.info("mailings_sent", sent=run.sent)
    return run.sent


class Run:
    """One worker at work, with a connection to the database for its marks and one to the mail server."""

    def __init__(self, worker: Worker) -> None:
        self.sent = 0
        self._worker = worker
        self._marker = Marker(worker.claim)
        self._carrier: Carrier = open_carrier()
        self._pace = pace()
        self._sender = bounce_addresses()
        self._patterns: dict[tuple[int, str], Pattern | None] = {}
        self._passed: dict[int, int] = {}
        self._before: int | None = None
        self._refusals: list[tuple[Taken, NotTaken]] = []
        self._rests = 0
        self._drops = 0

    def close(self) -> None:
        """Let go of both connections."""
        self._marker.close()
        self._carrier.close()

    def go_on(self) -> None:
        """Send batch after batch while there are any, the server is there and the process is not told to end."""
        while not jobs.ending():
            claiming.take_over()
            found = self._next_batch()
            if found is None:
                return
            try:
                self._send_batch(*found)
                self._rests = 0
            except ServerAway:
                if self._rests == len(RESTS):
                    log.warning("mail_server_away")
                    return
                self._rests += 1
                jobs.rest(RESTS[self._rests - 1])

    def _next_batch(self) -> tuple[MailingNow, list[Taken]] | None:
        for mailing_id in claiming.running_mailings():
            taken = self._claim(mailing_id)
            if taken:
                return self._look_at(mailing_id), taken
        return None

    def _claim(self, mailing_id: int) -> list[Taken]:
        """Take what is next of a mailing, from its front to its end and then again: what was put off lies behind us."""
        after = self._passed.get(mailing_id, 0)
        taken = claiming.claim_batch(self._worker.claim, mailing_id, after)
        if not taken and after:
            taken = claiming.claim_batch(self._worker.claim, mailing_id, 0)
        self._passed[mailing_id] = taken[-1].id if taken else 0
        return taken

    def _look_at(self, mailing_id: int) -> MailingNow:
        mailing = db.session.get_one(Mailing, mailing_id, populate_existing=True)
        cases, told = cases_of(db.session, mailing), only_told_of(db.session, mailing)
        now = MailingNow(mailing_id, mailing.asks, tuple(cases), today(), only_told=tuple(told))
        db.session.rollback()
        return now

    def _send_batch(self, mailing: MailingNow, taken: list[Taken]) -> None:
        """Send a batch; what is left when it ends early is given back. Raises `ServerAway`."""
        waiting = list(reversed(taken))
        try:
            while waiting and not jobs.ending():
                self._pace.workers = self._worker.alive
                place, seconds = self._pace.choose(each.domain for each in reversed(waiting))
                if seconds:
                    self._settle_before()
                    jobs.rest(min(seconds, 1.0))
                    continue
                one = waiting.pop(-1 - place)
                if not self._send(mailing, one):
                    waiting.append(one)
                    break
        finally:
            self._settle_before()
            self._believe_refusals()
            if waiting:
                claiming.give_back(self._worker.claim, (each.id for each in waiting))

    def _send(self, mailing: MailingNow, one: Taken) -> bool:
        """Send one message; False where nothing of its mailing may be sent any more."""
        data = self._message(mailing.id, one)
        if data is None:
            self._put(one, DeliveryState.FAILED)
            return True
        may_go = self._marker.step(mailing, before=self._before, following=one.id)
        self._before = None
        if not may_go:
            return self._find_out_why_not(mailing, one)
        self._pace.take(one.domain)
        try:
            self._carrier.carry(sender=self._sender(one.reader.salt, one.id), to=one.reader.email, data=data)
        except NotTaken as refusal:
            self._drops = 0
            self._refused(one, refusal)
        except ServerAway as away:
            self._dropped(one, away)
        else:
            self._before, self._drops, self._rests = one.id, 0, 0
            self.sent += 1
            telemetry.count("mailing", "sent")
            self._believe_refusals()
        return True

    def _message(self, mailing_id: int, one: Taken) -> bytes | None:
        """Return the message, or None where none can be made of the words or of the address."""
        place = (mailing_id, one.language)
        if place not in self._patterns:
            self._patterns[place] = _read_pattern(*place)
        pattern = self._patterns[place]
        try:
            return pattern.fill(one.reader) if pattern else None
        except UnsafeAddress:
            return None

    def _settle_before(self) -> None:
        """Write down that the message before was taken, as nothing else is going to say so in the next moment."""
        if self._before is not None:
            self._marker.sent(self._before)
            self._before = None

    def _find_out_why_not(self, mailing: MailingNow, one: Taken) -> bool:
        """Do what follows where the last look said no; False where the rest of the mailing must not go either."""
        with transaction() as session:
            row = session.get_one(Mailing, mailing.id, populate_existing=True)
            why = obstacle(session, row, today())
            runs = row.state == MailingState.RUNNING and why is None
            if runs:
                claiming.let_go(session, self._worker.claim, one.id)
        if why is not None:
            stop_fallen()
        return runs

    def _refused(self, one: Taken, refusal: NotTaken) -> None:
        """Note a refusal, in memory while it may be about us; raises `ServerAway` where it is."""
        if refusal.permanent and not refusal.whom:
            self._put(one, DeliveryState.FAILED, code=refusal.code)
        elif refusal.code // 100 != 5:
            self._put_off(one, refusal.code)
        else:
            self._refusals.append((one, refusal))
        if len(self._refusals) < REFUSALS_IN_A_ROW:
            return
        log.error("mail_server_refuses_everybody", code=refusal.code)
        while self._refusals:
            each, why = self._refusals.pop()
            self._put_off(each, why.code)
        raise ServerAway(f"answer {refusal.code}", begun=False)

    def _believe_refusals(self) -> None:
        """Do what follows from the refusals in a row that has come to its end."""
        while self._refusals:
            one, refusal = self._refusals.pop()
            if refusal.whom:
                bounce_refused(self._worker.claim, one.id, refusal.code)
            else:
                self._put_off(one, refusal.code)

    def _dropped(self, one: Taken, away: ServerAway) -> None:
        """Note that the line went dead; raises `ServerAway` where it is better to wait for a while."""
        if not away.begun:
            self._put(one, DeliveryState.WAITING)
            raise away
        self._drops += 1
        self._put_off(one, None, first=AFTER_DROP)
        if self._drops % DROPS_IN_A_ROW == 0:
            raise away

    def _put_off(self, one: Taken, code: int | None, first: timedelta = PAUSES[0]) -> None:
        """Try a message again after a pause, the `first` one or that of its try; give it up after the last."""
        pause = PAUSES[min(one.tries, len(PAUSES) - 1)] if one.tries else first
        tries = one.tries + 1
        if tries > len(PAUSES):
            self._put(one, DeliveryState.FAILED, tries=tries, code=code)
        else:
            self._put(one, DeliveryState.WAITING, tries=tries, code=code, next_try_at=utc_now() + pause)

    def _put(self, one: Taken, state: DeliveryState, **values: object) -> None:
        """Let go of a message that was not taken."""
        settled = {} if state is DeliveryState.WAITING else {"settled_at": utc_now()}
        with transaction() as session:
            claiming.settle(session, self._worker.claim, one.id, state=state, **values, **settled)
        telemetry.count("mailing", "put off" if state is DeliveryState.WAITING else state.value)


def _read_pattern(mailing_id: int, language: str) -> Pattern | None:
    """Return what a mailing's messages in a language are made from, or None where that cannot be."""
    words = db.session.get(MailingWords, (mailing_id, language), populate_existing=True)
    try:
        return pattern_of(mailing_id, words) if words else None
    except (Refused, ValueError):
        log.exception("mailing_without_words", mailing=mailing_id, language=language)
        return None
    finally:
        db.session.rollback()
