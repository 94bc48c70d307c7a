"""The hours of cases: scheduled publications and closings, and consents that end."""

from __future__ import annotations

from wfr.cases.publishing import keep_hours
from wfr.jobs import Queue


def register(queue: Queue) -> None:
    """Put this domain's jobs on the queue."""
    queue.every("keep_hours", keep_hours, minutes=1)
