"""The bridge to the event loop: calls are synchronous code that frees its thread for other calls while it waits."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from glific_gpt import bridge
from tests.support.event_loop import server_loop

Run = Callable[..., list[Any]]

USER = contextvars.ContextVar("user", default="nobody")
DELAY = 0.2


@pytest.fixture
def run() -> Iterator[Run]:
    """Run functions as a server's loop does, all at once; return what each one returns or raises."""

    async def gathered(calls: list[Coroutine[Any, Any, Any]]) -> list[Any]:
        return await asyncio.gather(*calls, return_exceptions=True)

    with server_loop() as loop:
        yield lambda *functions: loop.run_until_complete(gathered([bridge.run(each) for each in functions]))


async def late(value: str) -> str:
    await asyncio.sleep(DELAY)
    return value


def test_many_calls_wait_at_the_same_time_in_one_thread(run: Run) -> None:
    before = time.monotonic()
    results = run(*[lambda: (bridge.await_(late("done")), threading.get_ident())] * 100)
    assert time.monotonic() - before < DELAY * 10
    assert set(results) == {("done", threading.get_ident())}


def test_calls_sleep_and_use_threads_at_the_same_time(run: Run) -> None:
    def work() -> bool:
        bridge.sleep(DELAY)
        return bridge.run_in_executor(threading.get_ident) != threading.get_ident()

    before = time.monotonic()
    assert run(*[work] * 10) == [True] * 10
    assert time.monotonic() - before < DELAY * 5


def test_an_exception_is_raised_where_the_call_waits(run: Run) -> None:
    async def fail() -> None:
        raise LookupError("gone")

    def work() -> str:
        try:
            bridge.await_(fail())
        except LookupError as error:
            return f"it is {error}"
        return "it is there"

    assert run(work) == ["it is gone"]


def test_an_exception_of_one_call_does_not_affect_others(run: Run) -> None:
    def fail() -> None:
        bridge.sleep(0)
        raise KeyError

    failed, succeeded = run(fail, lambda: "well")
    assert isinstance(failed, KeyError)
    assert succeeded == "well"


def test_calls_do_not_share_context_variables(run: Run) -> None:
    def work(name: str) -> tuple[str, str]:
        USER.set(name)
        bridge.sleep(DELAY / 10)
        return USER.get(), bridge.run_in_executor(USER.get)

    assert run(lambda: work("alice"), lambda: work("bob")) == [("alice", "alice"), ("bob", "bob")]
    assert USER.get() == "nobody"


def test_the_number_of_concurrent_calls_is_limited(run: Run) -> None:
    active, maximum = 0, 0

    def work() -> None:
        nonlocal active, maximum
        active += 1
        maximum = max(maximum, active)
        bridge.run_in_executor(lambda: time.sleep(DELAY / 20))
        active -= 1

    calls = bridge.MAX_CONCURRENT_CALLS * 3
    assert run(*[work] * calls) == [None] * calls
    assert maximum == bridge.MAX_CONCURRENT_CALLS


def test_a_call_proceeds_without_a_slot_after_the_time_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "SLOT_TIMEOUT_SECONDS", DELAY / 2)
    before = time.monotonic()
    calls = bridge.MAX_CONCURRENT_CALLS * 3
    assert run(*[lambda: bridge.sleep(DELAY)] * calls) == [None] * calls
    assert time.monotonic() - before < DELAY * 2.5
    assert run(*[lambda: bridge.await_(late("done"))] * 100) == ["done"] * 100
    assert free_slots() == bridge.MAX_CONCURRENT_CALLS


def free_slots() -> int:
    """Take slots until there is none left."""
    limit = bridge._limit._semaphore
    for taken in range(bridge.MAX_CONCURRENT_CALLS * 2):
        if limit.locked():
            return taken
        asyncio.run(limit.acquire())
    raise AssertionError("There is no limit.")


def test_only_the_call_that_is_alone_counts_as_the_only_call(run: Run) -> None:
    def wait() -> bool:
        bridge.sleep(DELAY)
        return bridge.is_only_call()

    assert run(bridge.is_only_call) == [True]
    assert run(wait, bridge.is_only_call) == [True, False]
    assert not bridge.is_only_call()


def test_an_event_that_is_not_set_times_out(run: Run) -> None:
    def work() -> tuple[bool, bool]:
        never, soon = bridge.OneShotEvent(), bridge.OneShotEvent()
        bridge.submit(lambda: bridge.OneShotEvent.set_all([soon]))
        return never.wait(DELAY), soon.wait(5)

    assert run(work) == [(False, True)]
    assert work() == (False, True)


def test_outside_the_loop_the_thread_waits() -> None:
    assert bridge.await_(late("done")) == "done"
    assert bridge.run_in_executor(threading.get_ident) == threading.get_ident()
    assert not bridge.is_on_loop()


THREAD_THAT_ENDS_DURING_GARBAGE_COLLECTION = """
import gc, threading, time
from glific_gpt import bridge

failed, may_end = threading.Event(), threading.Event()

async def fail():
    raise LookupError

class Last:
    def __del__(self):
        may_end.set()
        thread.join()
        time.sleep(0.5)  # its greenlet is freed a moment later

def leave_an_exception_behind():
    try:
        bridge.await_(fail())
    except LookupError as error:
        error.last = Last()
        error.last.error = error  # a cycle, from which the frames of the exception can be reached

def work():
    leave_an_exception_behind()
    failed.set()
    may_end.wait()

gc.disable()
thread = threading.Thread(target=work)
thread.start()
failed.wait()
gc.collect()
print("well")
"""


def test_a_thread_can_end_while_the_frames_of_its_exception_are_collected() -> None:
    """It runs in a process of its own: a frame that still refers to the thread's greenlet would crash that process."""
    command = [sys.executable, "-c", THREAD_THAT_ENDS_DURING_GARBAGE_COLLECTION]
    environ = os.environ | {"PYTHONMALLOC": "debug"}  # it overwrites memory that is freed
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    assert (done.returncode, done.stdout, done.stderr) == (0, "well\n", "")
