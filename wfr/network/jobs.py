"""Background tasks of the network."""

from __future__ import annotations

from wfr.jobs import Queue


def register(queue: Queue) -> None:
    """Put this domain's tasks on the queue."""
