"""A ticket is ours or it is not; it becomes one key, and its children always the same ones."""

from __future__ import annotations

import contextlib
import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfr.pledges.tickets import BadTicket, TicketOffice

OFFICE = TicketOffice([b"present", b"former"])


def test_a_ticket_reads_back_as_itself() -> None:
    ticket = OFFICE.issue()
    assert OFFICE.read(ticket.text) == ticket


def test_its_key_is_a_version_7_uuid_of_now() -> None:
    key = OFFICE.issue().id
    assert (key.version, key.variant) == (7, "specified in RFC 4122")
    assert abs((key.int >> 80) / 1000 - time.time()) < 5


def test_tickets_differ_and_sort_by_time() -> None:
    keys = [OFFICE.issue().id for _ in range(1000)]
    assert len(set(keys)) == 1000
    assert keys[0].int >> 80 <= keys[-1].int >> 80


def test_a_former_key_is_still_accepted_and_a_strangers_is_not() -> None:
    former = TicketOffice([b"former"]).issue()
    assert OFFICE.read(former.text).id == former.id
    with pytest.raises(BadTicket):
        OFFICE.read(TicketOffice([b"stranger"]).issue().text)


def test_the_tickets_for_several_cases_are_always_the_same() -> None:
    ticket = OFFICE.issue()
    one, again, other = (OFFICE.derived(ticket, name) for name in ("ada", "ada", "omar"))
    assert one == again != other
    assert OFFICE.read(one.text).id == one.id


@given(st.text(max_size=200))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadTicket):
        OFFICE.read(text)


@given(st.integers(0, 60), st.characters())
def test_one_changed_character_is_refused(place: int, character: str) -> None:
    text = OFFICE.derived(OFFICE.issue(), "x").text
    forged = text[:place] + character + text[place + 1 :]
    if forged != text:
        # The last base64 digit of a part carries spare bits: another spelling of the same bytes is the same ticket.
        with contextlib.suppress(BadTicket):
            assert OFFICE.read(forged).id == OFFICE.read(text).id


def test_a_ticket_is_short_enough_for_a_small_qr_code() -> None:
    assert len(OFFICE.issue().text) < 70
    assert isinstance(OFFICE.issue().id, UUID)
