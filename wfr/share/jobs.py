"""Background tasks of sharing: campaign posts go out, milestones propose drafts."""

from __future__ import annotations

from wfr.jobs import Queue


def register(queue: Queue) -> None:
    """Put this domain's tasks on the queue."""
    del queue
