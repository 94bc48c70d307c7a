"""The desk's background jobs: rows that nobody needs any more are deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from wfr.staff.budgets import forget_old_budgets
from wfr.staff.devices import forget_old_devices
from wfr.staff.sessions import forget_old_sessions

log = structlog.get_logger(__name__)


class Schedule(Protocol):
    """The part of the job queue that this domain needs."""

    def daily(self, name: str, work: Callable[[], object], *, at: str) -> None:
        """Do `work` every day at the UTC time `at`."""


def tidy_up() -> None:
    """Delete sessions, devices and budgets of attempts that are over, and log how many."""
    log.info("desk_tidied", sessions=forget_old_sessions(), devices=forget_old_devices(), budgets=forget_old_budgets())


def register(queue: Schedule) -> None:
    """Put this domain's work on the queue."""
    queue.daily("tidy_up_desk", tidy_up, at="03:20")
