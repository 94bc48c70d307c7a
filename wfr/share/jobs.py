"""Background tasks of sharing: campaign posts go out, milestones propose drafts, X tells its numbers."""

from __future__ import annotations

from wfr.jobs import Queue
from wfr.share.milestones import propose_milestones
from wfr.share.post_numbers import refresh_numbers
from wfr.share.posting import QUEUE
from wfr.share.sending import send_due_posts


def register(queue: Queue) -> None:
    """Put this domain's tasks on the queue."""
    queue.on_ring(QUEUE, send_due_posts)
    queue.every("find_posts", send_due_posts, minutes=1)
    queue.every("propose_milestones", propose_milestones, minutes=1)
    queue.every("read_post_numbers", refresh_numbers, minutes=30)
