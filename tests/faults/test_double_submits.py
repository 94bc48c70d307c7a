"""Impatient fingers: the same form sent again and again at the same moment. WFR_FULL_COUNTS=1 sends all 10,000."""

from __future__ import annotations

import os

import pytest

from benchmarks.double_submit import fresh_tickets, storm
from tests.faults.visiting import PATH, Ledger, Serve

pytestmark = pytest.mark.faults

TICKETS = 100 if os.environ.get("WFR_FULL_COUNTS") else 10
TIMES = 100


def test_each_ticket_sent_a_hundred_times_at_once_is_one_pledge(serve: Serve, ledger: Ledger) -> None:
    with serve(WEB_CONCURRENCY=2) as server:
        tickets = fresh_tickets(server.address, PATH, TICKETS)
        storm(server.address, PATH, tickets, times=TIMES)
    assert sorted(ledger.ids()) == sorted(ledger.id_of(ticket) for ticket in tickets)
    assert ledger.drift() == []
