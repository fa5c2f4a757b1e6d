"""Calls on an event loop: ordinary code, that leaves its thread to others while it waits."""

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

WHO = contextvars.ContextVar("who", default="nobody")
MOMENT = 0.2


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs functions as a server's loop does, all at once; what each gives or raises."""

    async def gathered(calls: list[Coroutine[Any, Any, Any]]) -> list[Any]:
        return await asyncio.gather(*calls, return_exceptions=True)

    with server_loop() as loop:
        yield lambda *works: loop.run_until_complete(gathered([bridge.run(work) for work in works]))


async def late(value: str) -> str:
    await asyncio.sleep(MOMENT)
    return value


def test_many_wait_at_the_same_time_in_one_thread(run: Run) -> None:
    before = time.monotonic()
    said = run(*[lambda: (bridge.wait_for(late("done")), threading.get_ident())] * 100)
    assert time.monotonic() - before < MOMENT * 10
    assert set(said) == {("done", threading.get_ident())}


def test_they_sleep_and_ask_threads_at_the_same_time(run: Run) -> None:
    def work() -> bool:
        bridge.sleep(MOMENT)
        return bridge.in_thread(threading.get_ident) != threading.get_ident()

    before = time.monotonic()
    assert run(*[work] * 10) == [True] * 10
    assert time.monotonic() - before < MOMENT * 5


def test_a_failure_is_raised_where_the_call_waits(run: Run) -> None:
    async def fail() -> None:
        raise LookupError("gone")

    def work() -> str:
        try:
            bridge.wait_for(fail())
        except LookupError as error:
            return f"it is {error}"
        return "it is there"

    assert run(work) == ["it is gone"]


def test_what_a_call_raises_is_its_own(run: Run) -> None:
    def fail() -> None:
        bridge.sleep(0)
        raise KeyError

    failed, went_well = run(fail, lambda: "well")
    assert isinstance(failed, KeyError)
    assert went_well == "well"


def test_calls_do_not_see_each_others_context(run: Run) -> None:
    def work(name: str) -> tuple[str, str]:
        WHO.set(name)
        bridge.sleep(MOMENT / 10)
        return WHO.get(), bridge.in_thread(WHO.get)

    assert run(lambda: work("alice"), lambda: work("bob")) == [("alice", "alice"), ("bob", "bob")]
    assert WHO.get() == "nobody"


def test_only_some_are_worked_on_at_once(run: Run) -> None:
    under_way, most = 0, 0

    def work() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        bridge.in_thread(lambda: time.sleep(MOMENT / 20))
        under_way -= 1

    assert run(*[work] * (bridge.AT_ONCE * 3)) == [None] * (bridge.AT_ONCE * 3)
    assert most == bridge.AT_ONCE


def test_who_has_waited_too_long_goes_on_without_a_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "PATIENCE", MOMENT / 2)
    before = time.monotonic()
    assert run(*[lambda: bridge.sleep(MOMENT)] * bridge.AT_ONCE * 3) == [None] * (bridge.AT_ONCE * 3)
    assert time.monotonic() - before < MOMENT * 2.5
    assert run(*[lambda: bridge.wait_for(late("done"))] * 100) == ["done"] * 100
    assert bridge._places._free == bridge.AT_ONCE


def test_a_signal_that_does_not_come_is_given_up(run: Run) -> None:
    def work() -> tuple[bool, bool]:
        never, soon = bridge.Signal(), bridge.Signal()
        bridge.begin(lambda: bridge.Signal.give([soon]))
        return never.wait(MOMENT), soon.wait(5)

    assert run(work) == [(False, True)]
    assert work() == (False, True)


def test_elsewhere_the_thread_waits() -> None:
    assert bridge.wait_for(late("done")) == "done"
    assert bridge.in_thread(threading.get_ident) == threading.get_ident()
    assert not bridge.is_on_loop()


THREAD_THAT_ENDS_BESIDE_ITS_GARBAGE = """
import gc, threading, time
from glific_gpt import waiting

failed, may_end = threading.Event(), threading.Event()

async def fail():
    raise LookupError

class Last:
    def __del__(self):
        may_end.set()
        thread.join()
        time.sleep(0.5)  # its greenlet goes a moment later

def leave_a_failure_behind():
    try:
        waiting.wait_for(fail())
    except LookupError as error:
        error.last = Last()
        error.last.error = error  # a cycle, which leads to the frames that the failure came through

def work():
    leave_a_failure_behind()
    failed.set()
    may_end.wait()

gc.disable()
thread = threading.Thread(target=work)
thread.start()
failed.wait()
gc.collect()
print("well")
"""


def test_a_thread_may_end_while_what_it_failed_with_is_collected() -> None:
    """In a process of its own, which a frame that still holds the thread's greenlet would be the end of."""
    command = [sys.executable, "-c", THREAD_THAT_ENDS_BESIDE_ITS_GARBAGE]
    environ = os.environ | {"PYTHONMALLOC": "debug"}  # what is freed is overwritten
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    assert (done.returncode, done.stdout, done.stderr) == (0, "well\n", "")
