"""The bridge to the event loop: calls are synchronous code that frees its thread for other calls while it waits."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from glific_gpt.runtime import bridge, call_context, call_threads, event_loop
from glific_gpt.runtime.one_shot_event import OneShotEvent
from tests.support.deferred import wait_until
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
    assert time.monotonic() - before < DELAY * 50
    assert set(results) == {("done", threading.get_ident())}


def test_calls_sleep_and_use_threads_at_the_same_time(run: Run) -> None:
    def work() -> bool:
        bridge.sleep(DELAY)
        return call_threads.run_in_executor(threading.get_ident) != threading.get_ident()

    before = time.monotonic()
    assert run(*[work] * 100) == [True] * 100
    assert time.monotonic() - before < DELAY * 50


def test_a_call_waits_for_a_thread_until_its_deadline(run: Run) -> None:
    done = threading.Event()

    def work() -> object:
        call_context.wait_until(time.monotonic() + 0.1)
        assert call_context.limit_wait(60) < 0.1
        return call_threads.run_in_executor(lambda: done.wait(DELAY * 50))

    before = time.monotonic()
    (result,) = run(work)
    assert isinstance(result, call_threads.WaitTimeout)
    assert time.monotonic() - before < DELAY * 25
    done.set()


def test_work_that_no_thread_has_begun_before_the_deadline_is_not_done(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, done = threading.Event(), threading.Event()
    threads = ThreadPoolExecutor(1)
    threads.submit(release.wait)
    monkeypatch.setattr(call_threads, "_executor", threads)

    def work() -> object:
        call_context.wait_until(time.monotonic() + 0.05)
        return call_threads.run_in_executor(done.set)

    assert isinstance(run(work)[0], call_threads.WaitTimeout)
    release.set()
    threads.shutdown()
    assert not done.is_set()


def test_groups_take_turns_with_their_transactions(run: Run) -> None:
    done: list[str] = []

    def write(group: str) -> None:
        def take_time() -> None:
            time.sleep(DELAY / 20)
            done.append(group)

        call_context.set_group(group)
        call_threads.run_transaction(take_time)

    calls = bridge.MAX_CONCURRENT_CALLS - 1
    run(*[lambda: write("large")] * calls, lambda: write("small"))
    assert done.index("small") <= call_threads.TRANSACTION_THREADS * 2
    assert len(done) == calls + 1


def test_a_thread_of_a_transaction_that_is_late_is_free_when_it_has_ended(run: Run) -> None:
    may_end = threading.Event()

    def write() -> object:
        call_context.wait_until(time.monotonic() + DELAY)
        return call_threads.run_transaction(lambda: may_end.wait(10))

    number = call_threads.TRANSACTION_THREADS + 1
    assert [type(each) for each in run(*[write] * number)] == [call_threads.WaitTimeout] * number
    assert call_threads._transaction_slots.free == 0
    may_end.set()
    assert run(lambda: call_threads.run_transaction(lambda: "done")) == ["done"]


def test_a_deadline_that_has_not_passed_changes_nothing(run: Run) -> None:
    def work() -> object:
        call_context.wait_until(time.monotonic() + 60)
        return call_threads.run_in_executor(lambda: "done"), call_context.limit_wait(2.0)

    assert run(work) == [("done", 2.0)]


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
        return USER.get(), call_threads.run_in_executor(USER.get)

    assert run(lambda: work("alice"), lambda: work("bob")) == [("alice", "alice"), ("bob", "bob")]
    assert USER.get() == "nobody"


def test_the_number_of_concurrent_calls_is_limited(run: Run) -> None:
    active, maximum = 0, 0

    def work() -> None:
        nonlocal active, maximum
        active += 1
        maximum = max(maximum, active)
        call_threads.run_in_executor(lambda: time.sleep(DELAY / 20))
        active -= 1

    calls = bridge.MAX_CONCURRENT_CALLS * 3
    assert run(*[work] * calls) == [None] * calls
    assert maximum == bridge.MAX_CONCURRENT_CALLS


def test_a_call_that_has_begun_proceeds_without_a_slot_after_the_time_out(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "SLOT_TIMEOUT_SECONDS", DELAY / 2)

    def wait_and_sleep() -> str:
        result = bridge.await_(late("done"))  # all of them are resumed together
        bridge.sleep(DELAY)
        return result

    before = time.monotonic()
    calls = bridge.MAX_CONCURRENT_CALLS * 60
    assert run(*[wait_and_sleep] * calls) == ["done"] * calls
    assert time.monotonic() - before < DELAY * 50
    wait_until(lambda: bridge._limit.slots.free == bridge.MAX_CONCURRENT_CALLS)  # the last call frees its slot later


def test_a_call_that_cannot_begin_in_time_fails_and_takes_no_slot(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "START_TIMEOUT_SECONDS", DELAY / 2)
    results = run(*[lambda: bridge.sleep(DELAY)] * (bridge.MAX_CONCURRENT_CALLS + 3))
    assert results[: bridge.MAX_CONCURRENT_CALLS] == [None] * bridge.MAX_CONCURRENT_CALLS
    assert [type(each) for each in results[bridge.MAX_CONCURRENT_CALLS :]] == [bridge.StartTimeout] * 3
    assert bridge._limit.slots.free == bridge.MAX_CONCURRENT_CALLS


def test_a_call_of_another_group_does_not_wait_for_all_calls_of_a_large_group(run: Run) -> None:
    ended: list[str] = []

    def call(group: str) -> None:
        bridge.sleep(0.001)
        ended.append(group)

    async def call_in_group(group: str) -> None:
        call_context.set_group(group)
        await bridge.run(call, group)

    async def gathered() -> None:
        await asyncio.gather(*[call_in_group("large") for _ in range(200)], call_in_group("small"))

    with server_loop() as loop:
        loop.run_until_complete(gathered())
    assert ended.index("small") <= bridge.MAX_CONCURRENT_CALLS * 2


def test_a_part_of_a_call_runs_beside_it_and_in_its_group(run: Run) -> None:
    def work() -> tuple[bool, str, str]:
        USER.set("alice")
        call_context.set_group("large")
        part = bridge.spawn(lambda: (bridge.await_(late("done")), call_context._group.get(), USER.get()))
        try:
            bridge.result_of(part, DELAY / 10)
        except TimeoutError:
            return True, *bridge.result_of(part)[1:]
        return False, "", ""

    assert run(*[work] * 3) == [(True, "large", "nobody")] * 3
    assert bridge._limit.slots.free == bridge.MAX_CONCURRENT_CALLS


def test_an_exception_of_a_part_is_raised_where_it_is_waited_for(run: Run) -> None:
    def work() -> None:
        bridge.result_of(bridge.spawn(lambda: 1 // 0))

    assert [type(each) for each in run(work)] == [ZeroDivisionError]


def test_a_call_gives_up_its_slot_while_it_waits_for_a_future(run: Run) -> None:
    calls = bridge.MAX_CONCURRENT_CALLS * 3
    together = threading.Barrier(calls)

    def work() -> None:
        with ThreadPoolExecutor(1) as pool:
            bridge.result_of(pool.submit(together.wait, 10), 10)

    assert run(*[work] * calls) == [None] * calls


def test_only_the_call_that_is_alone_counts_as_the_only_call(run: Run) -> None:
    def wait() -> bool:
        bridge.sleep(DELAY)
        return bridge.is_only_call()

    assert run(bridge.is_only_call) == [True]
    assert run(wait, bridge.is_only_call) == [True, False]
    assert not bridge.is_only_call()


def test_an_event_that_is_not_set_times_out(run: Run) -> None:
    def work() -> tuple[bool, bool]:
        never, soon = OneShotEvent(), OneShotEvent()
        call_threads.submit(lambda: OneShotEvent.set_all([soon]))
        return never.wait(DELAY), soon.wait(5)

    assert run(work) == [(False, True)]
    assert work() == (False, True)


@event_loop.blocking
def wait_long() -> str:
    return "waited"


def test_a_function_that_blocks_refuses_to_run_on_the_loop(run: Run) -> None:
    refused, in_thread = run(wait_long, lambda: call_threads.run_in_executor(wait_long))
    assert isinstance(refused, event_loop.BlocksEventLoop)
    assert str(refused) == "wait_long blocks, so it must not be called on the event loop. Call it in a thread."
    assert in_thread == wait_long() == "waited"


@pytest.mark.parametrize(
    "wait",
    [
        lambda: bridge.sleep(0),
        lambda: call_threads.run_in_executor(wait_long),
        lambda: OneShotEvent().wait(0),
        lambda: bridge.await_(fail_if_awaited()),
    ],
)
def test_a_callback_of_the_loop_cannot_wait(wait: Callable[[], object]) -> None:
    async def call() -> object:
        return wait()

    with server_loop() as loop, pytest.raises(event_loop.BlocksEventLoop):
        loop.run_until_complete(call())


def fail_if_awaited() -> Any:
    """Return something that is not a coroutine, which would be reported as never awaited."""


def test_outside_the_loop_the_thread_waits() -> None:
    assert bridge.await_(late("done")) == "done"
    assert call_threads.run_in_executor(threading.get_ident) == threading.get_ident()
    assert not event_loop.is_on_loop()


THREAD_THAT_ENDS_DURING_GARBAGE_COLLECTION = """
import gc, threading, time
from glific_gpt.runtime import bridge, call_context, call_threads, event_loop

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
