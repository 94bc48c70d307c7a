"""The background jobs of drives: mails that teachers are to get, and contacts whose time has come."""

from __future__ import annotations

from wfr.drives.erasing import erase_contacts
from wfr.drives.noticing import sweep_notices
from wfr.drives.occasions import notice_cases
from wfr.jobs import Queue


def register(queue: Queue) -> None:
    """Put this domain's jobs on the queue."""
    queue.every("notice_cases", notice_cases, minutes=1)
    queue.every("sweep_notices", sweep_notices, minutes=1)
    queue.daily("erase_contacts", erase_contacts, at="03:20")
