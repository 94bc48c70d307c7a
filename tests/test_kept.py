"""What a process keeps: read once in a while, shared, and served on while the database is away or hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError

from wfr.extensions import Kept


def counting() -> Callable[[], int]:
    """Return a function that gives 1, 2, 3 … each time it is asked."""
    asked = iter(range(1, 1000))
    return lambda: next(asked)


def away() -> int:
    raise OperationalError("SELECT 1", {}, Exception("gone"))


def test_a_value_is_read_once_in_its_time_however_many_ask() -> None:
    kept, read = Kept(), counting()
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda _: kept.get("number", 60, read), range(100)))
    assert values == [1] * 100


def test_a_value_grows_old() -> None:
    kept, read = Kept(), counting()
    assert kept.get("number", 0.02, read) == 1
    time.sleep(0.03)
    assert kept.get("number", 0.02, read) == 2


def test_the_last_value_is_served_while_the_database_is_away() -> None:
    kept = Kept()
    with pytest.raises(OperationalError):
        kept.get("number", 0.01, away)
    assert kept.get("number", 0.01, lambda: 7) == 7
    time.sleep(0.02)
    assert kept.get("number", 0.01, away) == 7


def test_nobody_waits_long_for_a_reader_that_hangs() -> None:
    kept, released = Kept(), threading.Event()

    def hang() -> int:
        released.wait(20)
        return 8

    assert kept.get("number", 0.01, lambda: 7) == 7
    time.sleep(0.05)
    stuck = threading.Thread(target=kept.get, args=("number", 0.01, hang))
    stuck.start()
    time.sleep(0.05)
    assert [kept.get("number", 60, hang) for _ in range(3)] == [7, 7, 7]
    released.set()
    stuck.join(5)
    assert not stuck.is_alive()
