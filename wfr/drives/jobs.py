"""The background jobs of drives: mails that teachers are to get, and contacts whose time has come."""

from __future__ import annotations

from wfr.drives.erasing import erase_contacts
from wfr.jobs import Queue


def register(queue: Queue) -> None:
    """Put this domain's jobs on the queue."""
    queue.daily("erase_contacts", erase_contacts, at="03:20")
