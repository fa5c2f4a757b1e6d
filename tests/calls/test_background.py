"""Threads of calls, and limits on `auto` calls."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from threading import Barrier, Event

from glific_gpt.calls.deferred.background import BackgroundCalls
from glific_gpt.calls.execution import Result
from glific_gpt.functions.contract import FunctionAnswer
from glific_gpt.runtime import call_context

TIMEOUT_SECONDS = 30.0


def test_every_call_that_may_start_has_a_thread_of_its_own() -> None:
    background = BackgroundCalls(3, max_calls=2, max_calls_per_organization=2, organization_share=1)
    all_running, end = Barrier(5), Event()

    def call() -> FunctionAnswer:
        all_running.wait(TIMEOUT_SECONDS)
        end.wait(TIMEOUT_SECONDS)
        return FunctionAnswer("answer")

    assert all(background.reserve(1, 1) for _ in range(2))
    auto = [background.start(1, 1, call, blocks=True) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        synchronous = [pool.submit(background.run, call, blocks=True) for _ in range(2)]
        all_running.wait(TIMEOUT_SECONDS)
        assert not background.reserve(2, 1)
        end.set()
    assert [future.result(TIMEOUT_SECONDS) for future in auto + synchronous] == [FunctionAnswer("answer")] * 4


def test_a_call_counts_from_its_reservation_to_its_end() -> None:
    background = BackgroundCalls(3, max_calls=3, max_calls_per_organization=2, organization_share=1)
    end = Event()
    assert [background.reserve(1, 1) for _ in range(3)] == [True, True, False]
    assert [background.reserve(2, 1) for _ in range(2)] == [True, False]
    future = background.start(1, 1, lambda: FunctionAnswer(end.wait(TIMEOUT_SECONDS)), blocks=True)
    assert not background.reserve(1, 1)
    end.set()
    assert future.result(TIMEOUT_SECONDS) == FunctionAnswer(True)
    assert background.reserve(1, 1)
    background.release(2, 1)
    assert background.reserve(2, 1)


def test_an_organization_leaves_a_share_for_the_next_one() -> None:
    background = BackgroundCalls(3, max_calls=8, max_calls_per_organization=8, organization_share=0.5)
    reserved = [[background.reserve(organization, 1) for _ in range(8)].count(True) for organization in range(1, 6)]
    assert reserved == [4, 2, 1, 1, 0]


def test_a_large_call_counts_as_several_and_may_always_run_alone() -> None:
    background = BackgroundCalls(3, max_calls=50, max_calls_per_organization=10, organization_share=1)
    assert [background.reserve(1, weight) for weight in (17, 1)] == [True, False]
    background.release(1, 17)
    assert [background.reserve(1, weight) for weight in (4, 7, 6)] == [True, False, True]


def test_a_call_in_a_thread_keeps_its_group_and_no_other_call_gets_it() -> None:
    background = BackgroundCalls(1, max_calls=1, max_calls_per_organization=1, organization_share=1)

    def start() -> Result:
        return background.start(1, 1, lambda: FunctionAnswer(call_context.current_group()), blocks=True).result()

    context = copy_context()
    context.run(call_context.set_group, "alice")
    assert [context.run(start), Context().run(start)] == [FunctionAnswer("alice"), FunctionAnswer("")]
