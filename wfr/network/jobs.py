"""Background tasks of the network."""

from __future__ import annotations

from wfr.jobs import Queue
from wfr.network.asking import forget_requests
from wfr.network.bouncing import read_bounce_folder
from wfr.network.delivering import QUEUE, send_mailings
from wfr.network.digests import propose_digests
from wfr.network.following import end_follows
from wfr.network.forgetting import forget_readers
from wfr.network.joining import forget_unconfirmed
from wfr.network.leaving import finish_leaving
from wfr.network.reminding import send_reminders
from wfr.network.stopping import stop_fallen


def register(queue: Queue) -> None:
    """Put this domain's tasks on the queue."""
    queue.on_ring(QUEUE, send_mailings)
    queue.every("find_mailings", send_mailings, minutes=1)
    queue.every("stop_mailings", stop_fallen, minutes=1)
    queue.every("read_bounces", read_bounce_folder, minutes=1)
    queue.every("send_reminders", send_reminders, minutes=1)
    queue.every("finish_leaving", finish_leaving, minutes=1)
    queue.daily("forget_unconfirmed", forget_unconfirmed, at="03:25")
    queue.daily("forget_requests", forget_requests, at="03:25")
    queue.daily("end_follows", end_follows, at="03:30")
    queue.daily("forget_readers", forget_readers, at="03:35")
    queue.daily("propose_digests", propose_digests, at="04:10")
