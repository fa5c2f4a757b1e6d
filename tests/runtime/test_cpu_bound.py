"""Long computations run in a thread of their own, and the organizations take turns."""

import contextvars
import gc
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from pydantic import JsonValue

from glific_gpt.runtime import bridge, call_context, cpu_bound, event_loop
from tests.support.deferred import wait_until
from tests.support.event_loop import server_loop

USER = contextvars.ContextVar("user", default="nobody")


def compute_for(organization: int, function: Callable[[], Any]) -> Any:
    call_context.set_group(str(organization))
    return cpu_bound.run(function, is_long=True)


def test_a_short_computation_stays_in_its_thread() -> None:
    assert cpu_bound.run(threading.get_ident, is_long=False) == threading.get_ident()


def test_a_long_computation_leaves_the_event_loop_free() -> None:
    heard = threading.Event()

    def compute() -> tuple[str, bool]:
        return threading.current_thread().name, heard.wait(10)

    def call() -> Any:
        event_loop.call_soon(heard.set)
        return compute_for(1, compute)

    with server_loop() as loop:
        assert loop.run_until_complete(bridge.run(call)) == ("cpu-bound", True)


def queue_length() -> int:
    return len(cpu_bound._thread)


def is_longer_than(length: int) -> bool:
    return queue_length() > length


def test_the_organizations_take_turns() -> None:
    done: list[int] = []
    may_begin = threading.Event()
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(compute_for, 0, lambda: may_begin.wait(10))
        wait_until(lambda: first.running() and not len(cpu_bound._thread))
        for organization in (1, 1, 1, 1, 2, 3):
            queued = queue_length()
            pool.submit(compute_for, organization, partial(done.append, organization))
            wait_until(partial(is_longer_than, queued))
        may_begin.set()
    assert done == [1, 2, 3, 1, 1, 1]


def test_an_exception_is_raised_where_the_caller_waits() -> None:
    with pytest.raises(ZeroDivisionError):
        cpu_bound.run(lambda: 1 // 0, is_long=True)
    assert cpu_bound.run(lambda: "well", is_long=True) == "well"


def test_a_computation_has_the_context_of_its_call() -> None:
    USER.set("alice")
    assert cpu_bound.run(USER.get, is_long=True) == "alice"


def test_a_long_computation_can_contain_another() -> None:
    assert cpu_bound.run(lambda: cpu_bound.run(lambda: "inner", is_long=True), is_long=True) == "inner"


def test_the_garbage_collector_pauses_only_during_a_computation() -> None:
    assert cpu_bound.run(gc.isenabled, is_long=True) is False
    wait_until(gc.isenabled)


@pytest.mark.parametrize(
    ("value", "is_large"),
    [
        ("a" * 1000, False),
        ("a" * cpu_bound.LARGE_CHARACTERS, True),
        ({"a": ["b", 1, None]}, False),
        ([0] * cpu_bound.LARGE_VALUES, True),
        ([[[0] * cpu_bound.LARGE_VALUES]], True),
        ({str(number): None for number in range(cpu_bound.LARGE_VALUES)}, True),
        ({"a" * cpu_bound.LARGE_CHARACTERS: 1}, True),
        (["a" * 100] * 200, True),
    ],
)
def test_a_value_is_large_by_its_texts_or_its_number_of_values(value: JsonValue, is_large: bool) -> None:
    assert cpu_bound.is_large(value) is is_large


def test_a_long_response_leaves_as_much_time_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(cpu_bound, "_leave_time", pauses.append)

    def parts() -> Iterator[int]:
        for number in range(6):
            end = time.thread_time() + cpu_bound.PACE_SECONDS / 2
            while time.thread_time() < end:
                pass
            yield number

    assert list(cpu_bound.paced(parts())) == list(range(6))
    assert 2 <= len(pauses) <= 6
    assert min(pauses) >= cpu_bound.PACE_SECONDS
    assert list(cpu_bound.paced(range(10))) == list(range(10))
    assert len(pauses) <= 6
