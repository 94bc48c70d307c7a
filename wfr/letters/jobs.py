"""The press's work in the background: large packs, and the end of those whose hour is over."""

from __future__ import annotations

from functools import partial

from wfr.jobs import Queue
from wfr.letters.pack_queue import JOB, print_packs, sweep_packs
from wfr.letters.printing import Render


def register(queue: Queue, render: Render) -> None:
    """Put this domain's jobs on the queue.

    `render` renders a template with the values it is given and no others: there is no request.
    """
    work = partial(print_packs, render)
    queue.on_ring(JOB, work)
    queue.every("find_packs", work, minutes=1)
    queue.every("sweep_packs", sweep_packs, minutes=1)
