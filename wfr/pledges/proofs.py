"""Proof of work: what makes a thousand pledges cost a bot more than they are worth, and a visitor nothing she notices.

The challenge is bound to the form's ticket, and a ticket is one pledge, so each proof is good once. Format and check
are ALTCHA's (v2).
"""

from __future__ import annotations

import binascii
import json
import time
from enum import StrEnum

import altcha

from wfr.pledges.tickets import Ticket

ALGORITHM = "PBKDF2/SHA-256"
KEY_PREFIX = "00"
LONGEST_PAYLOAD = 4_000
"""Characters; a payload of ours has about 900."""


class Proof(StrEnum):
    """What came with a form."""

    GOOD = "good"
    ABSENT = "absent"
    BAD = "bad"


class ProofDesk:
    """Sets challenges and checks their solutions. `cost` is PBKDF2 iterations a trial; about 256 trials are needed."""

    def __init__(self, key: bytes, *, cost: int, max_age_seconds: float) -> None:
        self._key = key
        self._cost = cost
        self._max_age_seconds = max_age_seconds

    def challenge(self, ticket: Ticket) -> str:
        """Return the challenge for this ticket, as the JSON that ALTCHA's widget takes."""
        challenge = altcha.create_challenge(
            ALGORITHM,
            self._cost,
            key_prefix=KEY_PREFIX,
            expires_at=int(time.time() + self._max_age_seconds),
            data={"ticket": ticket.id.hex},
            hmac_secret=self._key,
        )
        return json.dumps(challenge.to_dict(), separators=(",", ":"))

    def check(self, payload: str, ticket: Ticket) -> Proof:
        """Say whether `payload` solves a challenge that was set for this very ticket."""
        if not payload:
            return Proof.ABSENT
        if len(payload) > LONGEST_PAYLOAD:
            return Proof.BAD
        try:
            read = altcha.Payload.from_base64(payload)
            parameters = read.challenge.parameters
            # The signature covers these; asking first keeps an attacker from choosing how dear our check is.
            ours = (parameters.algorithm, parameters.cost) == (ALGORITHM, self._cost)
            bound = (parameters.data or {}).get("ticket") == ticket.id.hex
            good = ours and bound and altcha.verify_solution(read, self._key).verified
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            OverflowError,
            RecursionError,
            binascii.Error,
        ):
            return Proof.BAD
        return Proof.GOOD if good else Proof.BAD
