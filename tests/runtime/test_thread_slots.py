"""Threads get slots in rotation over their groups, small groups first, and give them up while they pause."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event

from glific_gpt.runtime.thread_slots import ThreadSlots
from tests.support.deferred import wait_until

TIMEOUT_SECONDS = 10.0


def are_waiting(slots: ThreadSlots, number: int) -> bool:
    return len(slots._waiting) == number


def start_in_order(pool: ThreadPoolExecutor, slots: ThreadSlots, groups: str, work: Callable[[str], None]) -> None:
    """Let one thread for each letter wait for a slot, in this order."""

    def run(group: str) -> None:
        with slots.hold(group):
            work(group)

    for number, group in enumerate(groups, 1):
        pool.submit(run, group)
        wait_until(partial(are_waiting, slots, number))


def test_a_small_group_waits_for_one_slot_and_all_groups_get_some() -> None:
    slots, order = ThreadSlots(1), list[str]()
    with ThreadPoolExecutor(16) as pool:
        slots.acquire("holder")
        start_in_order(pool, slots, "aaaabbbbc", order.append)
        slots.release("holder")
    assert order.index("c") <= 1
    assert set(order[:5]) == {"a", "b", "c"}


def test_a_paused_thread_holds_no_slot() -> None:
    slots, other_ran, continued = ThreadSlots(1), Event(), Event()

    def pause() -> None:
        with slots.hold("a"):
            with slots.paused():
                assert other_ran.wait(TIMEOUT_SECONDS)
            continued.set()

    def run() -> None:
        with slots.hold("b"):
            other_ran.set()

    with ThreadPoolExecutor(2) as pool:
        results: list[Future[None]] = [pool.submit(pause), pool.submit(run)]
        for result in results:
            result.result(TIMEOUT_SECONDS)
    assert continued.is_set()
    with slots.hold("a"):
        pass


def test_a_group_holds_no_more_slots_than_it_may() -> None:
    slots, ran = ThreadSlots(3, max_of_group=1), Event()
    slots.acquire("a")
    with ThreadPoolExecutor(1) as pool:
        start_in_order(pool, slots, "a", lambda _: ran.set())
        slots.acquire("b")
        assert not ran.is_set()
        slots.release("a")
        assert ran.wait(TIMEOUT_SECONDS)
