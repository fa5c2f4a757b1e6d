"""Connections go to waiting threads in order, in turns for batches and other transactions."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from sqlite3 import connect

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from glific_gpt.database.fair_pool import FairPool, FairSemaphore, for_batch

LONG = 30.0


def wait_until(condition: Callable[[], object]) -> None:
    until = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def is_waiting(semaphore: FairSemaphore, threads: int) -> bool:
    return len(semaphore._others) + len(semaphore._batches) == threads


def test_it_serves_in_order_and_alternates_between_batches_and_others() -> None:
    semaphore, served = FairSemaphore(1), list[str]()

    def wait(name: str) -> None:
        semaphore.acquire(LONG, is_batch=name.startswith("batch"))
        served.append(name)
        semaphore.release()

    semaphore.acquire(LONG, is_batch=False)
    with ThreadPoolExecutor(6) as pool:
        for number, name in enumerate(("one", "two", "three", "batch one", "batch two", "four"), 1):
            pool.submit(wait, name)
            wait_until(partial(is_waiting, semaphore, number))
        semaphore.release()
    assert served == ["batch one", "one", "batch two", "two", "three", "four"]


def test_a_thread_that_gives_up_is_not_served() -> None:
    semaphore = FairSemaphore(1)
    assert semaphore.acquire(LONG, is_batch=False)
    assert not semaphore.acquire(0.01, is_batch=True)
    semaphore.release()
    assert semaphore.acquire(LONG, is_batch=False)


def test_a_thread_that_needs_a_connection_again_waits_behind_the_others() -> None:
    pool = FairPool(lambda: connect(":memory:", check_same_thread=False), pool_size=1, max_overflow=0, timeout=LONG)
    first = pool.connect()
    served: list[str] = []

    def wait() -> None:
        connection = pool.connect()
        served.append("waiting")
        connection.close()

    threading.Thread(target=wait).start()
    wait_until(lambda: pool._semaphore._others)
    first.close()
    again = pool.connect()
    assert served == ["waiting"]
    again.close()


def test_a_pool_without_a_free_connection_times_out_and_recovers() -> None:
    pool = FairPool(lambda: connect(":memory:", check_same_thread=False), pool_size=2, max_overflow=0, timeout=0.01)
    held = [pool.connect() for _ in range(2)]
    with pytest.raises(PoolTimeoutError), for_batch():
        pool.connect()
    held[0].invalidate()
    held[1].close()
    for connection in [pool.connect() for _ in range(2)]:
        connection.close()


def test_a_connection_that_cannot_be_opened_takes_no_place() -> None:
    def fail() -> None:
        raise OSError

    pool = FairPool(fail, pool_size=1, max_overflow=0, timeout=0.01)
    for _ in range(3):
        with pytest.raises(OSError):  # noqa: PT011 - not a time-out
            pool.connect()
