"""Slots that are granted to the waiting groups in rotation."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from glific_gpt.runtime.fair_slots import GRANTS_PER_PASS, FairSlots

LONG = 30.0


def serve_in_order(slots: FairSlots, *waiting: tuple[str, bool]) -> list[str]:
    """Let these groups wait, the resumed ones marked, and return them in the order in which they get a slot."""
    served: list[str] = []

    async def wait(group: str, resumed: bool) -> None:
        await slots.acquire(group, LONG, resumed=resumed)
        served.append(group if not resumed else f"{group} again")
        slots.release()

    async def run() -> None:
        await slots.acquire("first", LONG)
        tasks = [asyncio.create_task(wait(*each)) for each in waiting]
        await asyncio.sleep(0)
        slots.release()
        await asyncio.gather(*tasks)

    asyncio.run(run())
    return served


def test_groups_get_slots_in_rotation() -> None:
    slots = FairSlots(1)
    order = serve_in_order(slots, *[(each, False) for each in ("a", "a", "a", "b", "b", "c")])
    assert order == ["a", "b", "c", "a", "b", "a"]
    assert slots.free == 1


def test_work_that_has_begun_comes_first_within_its_group() -> None:
    order = serve_in_order(FairSlots(1), ("a", False), ("a", False), ("a", True), ("b", False))
    assert order == ["a again", "b", "a", "a"]


async def acquire_after(slots: FairSlots, waiting: Coroutine[Any, Any, Any]) -> tuple[object, bool]:
    """Take the only slot while another waits, and return the other's result, and whether a slot is free afterwards."""
    await slots.acquire("holder", LONG)
    task = asyncio.create_task(waiting)
    result = (await asyncio.gather(task, return_exceptions=True))[0]
    slots.release()
    return result, slots.free == 1


def test_a_waiter_gives_up_after_its_time_out() -> None:
    slots = FairSlots(1)
    assert asyncio.run(acquire_after(slots, slots.acquire("a", 0.01))) == (False, True)


def test_a_cancelled_waiter_keeps_no_slot() -> None:
    slots = FairSlots(1)

    async def run() -> None:
        await slots.acquire("holder", LONG)
        waiting, granted = [asyncio.create_task(slots.acquire("a", LONG)) for _ in range(2)]
        await asyncio.sleep(0)
        waiting.cancel()
        slots.release()  # grants the slot to the second one, which has not run yet when it is cancelled
        granted.cancel()
        await asyncio.gather(waiting, granted, return_exceptions=True)

    asyncio.run(run())
    assert slots.free == 1


def test_work_that_never_waits_is_spread_over_passes_of_the_loop_and_groups_take_turns() -> None:
    slots = FairSlots(GRANTS_PER_PASS)
    passes = 0
    served: list[tuple[str, int]] = []

    def count() -> None:
        nonlocal passes
        passes += 1
        asyncio.get_running_loop().call_soon(count)

    async def work(group: str) -> None:
        await slots.acquire(group, LONG)
        served.append((group, passes))
        slots.release()

    async def run() -> None:
        count()
        flood = [asyncio.create_task(work("flood")) for _ in range(10 * GRANTS_PER_PASS)]
        await asyncio.gather(*flood, asyncio.create_task(work("other")))

    asyncio.run(run())
    in_a_pass = Counter(number for _, number in served)
    assert max(in_a_pass.values()) <= GRANTS_PER_PASS
    assert [group for group, _ in served].index("other") <= 2 * GRANTS_PER_PASS
    assert slots.free == GRANTS_PER_PASS
