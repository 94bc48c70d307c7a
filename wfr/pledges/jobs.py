"""The ledger's background job: once a day it proves that tally and ledger agree, or says loudly where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from wfr.extensions import db
from wfr.pledges.tallying import find_drift

log = structlog.get_logger(__name__)


class Schedule(Protocol):
    """The part of the job queue that this domain needs."""

    def daily(self, name: str, work: Callable[[], object], *, at: str) -> None:
        """Do `work` every day at the UTC time `at`."""


def check_tally() -> None:
    """Compare the tally with the ledger and log every difference."""
    drift = find_drift(db.session)
    for difference in drift:
        log.error("tally_drift", difference=str(difference))
    log.info("tally_checked", drift=len(drift))


def register(queue: Schedule) -> None:
    """Put this domain's work on the queue."""
    queue.daily("check_tally", check_tally, at="03:40")
