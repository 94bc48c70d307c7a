"""Who may pledge: a ticket of ours, a proof of work, and not too often from one address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from limits import RateLimitItem, parse

from wfr.extensions import address_key, limiter
from wfr.pledges.pledging import known
from wfr.pledges.proofs import Proof, ProofDesk
from wfr.pledges.tickets import CLOCK_SKEW_SECONDS, BadTicket, Ticket, TicketOffice


class Refusal(StrEnum):
    """Why a form is shown again instead of counting."""

    TICKET = "ticket"
    PROOF = "proof"
    LIMIT = "limit"


class Refused(Exception):
    """The form does not count as it came; the visitor gets a fresh one with her words kept."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules of the door: tickets, proofs, and the limits per address with and without a proof."""

    tickets: TicketOffice
    proofs: ProofDesk
    limit_with_proof: RateLimitItem
    limit_without_proof: RateLimitItem
    max_age_seconds: float
    limits_on: bool

    @classmethod
    def from_limits(
        cls,
        tickets: TicketOffice,
        proofs: ProofDesk,
        *,
        with_proof: str,
        without_proof: str,
        max_age_seconds: float,
        limits_on: bool,
    ) -> Admission:
        """Build the rules from limits written as "60 per hour"."""
        return cls(tickets, proofs, parse(with_proof), parse(without_proof), max_age_seconds, limits_on)

    def admit(self, text: str, payload: str, *, names: Sequence[str] = ()) -> Ticket:
        """Return the ticket that may pledge now; raises `Refused`.

        A ticket already in the ledger is always let in, whatever its age, its proof or a limit say: a double click, a
        retry and a replay get the same answer again. `names` are those of the tickets derived from it, when one form
        pledges several.
        """
        try:
            ticket = self.tickets.read(text)
        except BadTicket:
            raise Refused(Refusal.TICKET) from None
        why = self._objection(ticket, payload, cost=len(names) or 1)
        if why and not known([self.tickets.derived(ticket, name).id for name in names] or [ticket.id]):
            raise Refused(why)
        return ticket

    def admit_by_code(self, text: str) -> Ticket:
        """Return the ticket of somebody whom a code lets in: no proof is asked, and the limit is the code's.

        Raises `Refused`; a ticket already in the ledger is always let in, as by `admit`.
        """
        try:
            ticket = self.tickets.read(text)
        except BadTicket:
            raise Refused(Refusal.TICKET) from None
        if not self._in_time(ticket) and not known([ticket.id]):
            raise Refused(Refusal.TICKET)
        return ticket

    def _in_time(self, ticket: Ticket) -> bool:
        return -CLOCK_SKEW_SECONDS < ticket.age_seconds < self.max_age_seconds

    def _objection(self, ticket: Ticket, payload: str, *, cost: int) -> Refusal | None:
        if not self._in_time(ticket):
            return Refusal.TICKET
        if not self.limits_on:
            return None
        proof = self.proofs.check(payload, ticket)
        if proof is Proof.BAD:
            return Refusal.PROOF
        limit = self.limit_with_proof if proof is Proof.GOOD else self.limit_without_proof
        if not limiter.limiter.hit(limit, "pledge", proof.value, address_key(), cost=cost):
            return Refusal.LIMIT
        return None
