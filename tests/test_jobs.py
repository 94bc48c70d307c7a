"""Background jobs run in the web process or in a worker, each inside the app, and one that fails stops nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask, current_app

from wfr import jobs
from wfr.jobs import Queue


@pytest.fixture
def queue(app: Flask) -> Queue:
    """The queue of an app on a database of its own."""
    return jobs.queue_of(app)


def ring(queue: Queue, name: str) -> None:
    """Put a job on the queue now, as its hour does."""
    wrapper = next(task for task in queue._huey._registry._registry.values() if task.__name__ == name)
    queue._huey.enqueue(wrapper())


def wait_for(condition: Callable[[], bool]) -> bool:
    """Say whether something becomes true within 10 s; it need not stay so."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_jobs_run_in_the_web_process_inside_the_app(queue: Queue, app: Flask) -> None:
    ran_in: list[object] = []
    queue.daily("look", lambda: ran_in.append(current_app._get_current_object()), at="03:40")
    stop = queue.start_in_process()
    try:
        ring(queue, "look")
        assert wait_for(lambda: ran_in == [app])
    finally:
        stop()


def test_a_job_that_fails_stops_no_other(queue: Queue) -> None:
    done = threading.Event()

    def fail() -> None:
        raise RuntimeError("on purpose")

    queue.daily("fail", fail, at="03:40")
    queue.daily("work", done.set, at="03:40")
    stop = queue.start_in_process()
    try:
        ring(queue, "fail")
        ring(queue, "work")
        assert done.wait(10)
    finally:
        stop()


def test_whoever_rings_need_not_wait_for_the_hour(queue: Queue, app: Flask) -> None:
    ran_in: list[object] = []
    queue.on_ring("answer", lambda: ran_in.append(current_app._get_current_object()))
    stop = queue.start_in_process()
    try:
        with app.app_context():
            jobs.ring("answer")
        assert wait_for(lambda: ran_in == [app])
    finally:
        stop()


def test_a_bell_that_nobody_can_hear_fails_no_request(app: Flask) -> None:
    """No consumer has ever made the queue's tables: the same as a database that is away."""
    queue = jobs.queue_of(app)
    rung: list[int] = []
    queue.on_ring("answer", lambda: rung.append(1))
    queue.ring("answer")
    queue.jobs["answer"]()
    assert rung == [1]
    with pytest.raises(KeyError):
        queue.ring("no such job")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-12-10 03:20", {"erase_contacts", "tidy_up_desk", "often"}),
        ("2026-12-10 03:40", {"check_tally", "daily", "often"}),
        ("2026-12-10 03:45", {"often"}),
        ("2026-12-10 15:41", set()),
    ],
)
def test_jobs_are_due_at_their_utc_time(queue: Queue, now: str, due: set[str]) -> None:
    queue.daily("daily", lambda: None, at="03:40")
    queue.every("often", lambda: None, minutes=5)
    each_minute = {"keep_hours", "find_packs", "sweep_packs", "notice_cases", "sweep_notices"}
    each_minute |= {"find_posts", "propose_milestones"}
    each_minute |= {"send_reminders", "finish_leaving"}
    each_minute |= {"find_mailings", "stop_mailings", "read_bounces"}
    assert {task.name for task in queue._huey.read_periodic(datetime.fromisoformat(now))} == due | each_minute


def test_the_tally_is_checked_daily(queue: Queue) -> None:
    assert "check_tally" in queue.jobs


def test_a_task_that_somebody_else_wrote_is_not_run(queue: Queue) -> None:
    """Whoever can write to the queue's table must not be able to run code of theirs: tasks are signed."""
    ran: list[int] = []
    queue.daily("work", lambda: ran.append(1), at="03:40")
    queue._huey.storage.initialize_schema()
    ring(queue, "work")
    data = queue._huey.storage.dequeue()
    queue._huey.storage.enqueue(data[:-1] + (b"0" if data[-1:] != b"0" else b"1"))
    stop = queue.start_in_process()
    try:
        assert wait_for(lambda: queue._huey.storage.queue_size() == 0)
        time.sleep(0.3)
        assert ran == []
    finally:
        stop()
