"""`kill -9` in the middle of the rush."""

from __future__ import annotations

import os
import signal

import pytest

from benchmarks.stage import wait_until
from tests.faults.visiting import PATIENCE_SECONDS, Ledger, Serve, Visitor, browser

pytestmark = pytest.mark.faults

VISITORS = 8
THANKED_BEFORE_THE_KILL = 60


def rush_until_killed(serve: Serve) -> tuple[set[str], set[str]]:
    """Let visitors pledge until the whole server is killed; return the tickets sent and those thanked for."""
    with serve(WEB_CONCURRENCY=2) as server:
        visitors = [Visitor(server.port) for _ in range(VISITORS)]
        for visitor in visitors:
            visitor.start()
        enough = wait_until(
            lambda: sum(len(visitor.thanked) for visitor in visitors) >= THANKED_BEFORE_THE_KILL, PATIENCE_SECONDS
        )
        os.killpg(server.process.pid, signal.SIGKILL)
        for visitor in visitors:
            visitor.join(2 * PATIENCE_SECONDS)
        assert enough, "the server was too slow to be worth killing"
    sent = {ticket for visitor in visitors for ticket in visitor.sent}
    return sent, {ticket for visitor in visitors for ticket in visitor.thanked}


def test_no_thanked_pledge_is_lost_and_whoever_was_cut_off_sends_again_and_counts_once(
    serve: Serve, ledger: Ledger
) -> None:
    sent, thanked = rush_until_killed(serve)

    kept = ledger.ids()
    assert {ledger.id_of(ticket) for ticket in thanked} <= set(kept)
    assert set(kept) <= {ledger.id_of(ticket) for ticket in sent}
    assert ledger.drift() == []

    with serve() as server, browser(server.port) as visitor:
        for ticket in sent:
            assert visitor.pledge(ticket).status == 200
    assert sorted(ledger.ids()) == sorted(ledger.id_of(ticket) for ticket in sent)
    assert ledger.drift() == []
