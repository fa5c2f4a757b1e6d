"""Slots for the work of an event loop, granted to the waiting groups in rotation."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias

Waiter: TypeAlias = "asyncio.Future[bool]"

GRANTS_PER_PASS = 16
"""Slots that are granted in one pass of the event loop, as far as they are free.

Work that never waits frees its slot in the pass in which it gets it. Without this limit, the work of all connections
that are ready would run in one pass: that of 1,000 refused calls, and another organization's call after them.
"""


@dataclass
class _Queue:
    """The waiters of one group. Work that has begun comes before work that has not."""

    resumed: deque[Waiter] = field(default_factory=deque)
    new: deque[Waiter] = field(default_factory=deque)

    def pop(self) -> Waiter:
        return (self.resumed or self.new).popleft()

    def __len__(self) -> int:
        return len(self.resumed) + len(self.new)


class FairSlots:
    """A semaphore whose waiters are served by round robin over their groups, and in order within a group.

    A group with many waiters therefore delays another group by one slot at most. It is not thread-safe: only the thread
    of the event loop that first acquires a slot may use it.
    """

    def __init__(self, number: int) -> None:
        self.free = number
        """Slots that nothing holds. While there is one, nothing waits."""
        self._queues: dict[str, _Queue] = {}
        """Groups with waiters, in the order in which they are served."""
        self._granted = 0
        """Slots that were granted in this pass of the loop."""
        self._loop: asyncio.AbstractEventLoop | None = None
        """Kept, because Python 3.11 makes a system call to find it, and each call acquires slots several times."""

    async def acquire(self, group: str, timeout: float, *, resumed: bool = False) -> bool:
        """Take a slot. Return False if none was granted within that many seconds."""
        loop = self._loop = self._loop or asyncio.get_running_loop()
        if self._may_grant() and not self._queues:  # the usual case, which needs no timer
            self._take(loop)
            return True
        waiter: Waiter = loop.create_future()
        queue = self._queues.setdefault(group, _Queue())
        (queue.resumed if resumed else queue.new).append(waiter)
        self._grant_to_waiters()  # perhaps all others have given up
        timer = loop.call_later(timeout, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.result():
                self.release()
            raise
        finally:
            timer.cancel()

    def release(self) -> None:
        """Free a slot, or pass it on to the next group that waits."""
        self.free += 1
        self._grant_to_waiters()

    def _may_grant(self) -> bool:
        return self.free > 0 and self._granted < GRANTS_PER_PASS

    def _take(self, loop: asyncio.AbstractEventLoop) -> None:
        self.free -= 1
        if not self._granted:
            loop.call_soon(self._begin_pass)
        self._granted += 1

    def _begin_pass(self) -> None:
        self._granted = 0
        self._grant_to_waiters()

    def _grant_to_waiters(self) -> None:
        while self._queues and self._may_grant():
            group, queue = next(iter(self._queues.items()))
            waiter = queue.pop()
            del self._queues[group]
            if queue:
                self._queues[group] = queue  # at the end
            if not waiter.done():  # it has neither timed out nor been cancelled
                self._take(waiter.get_loop())
                waiter.set_result(True)


def _give_up(waiter: Waiter) -> None:
    if not waiter.done():
        waiter.set_result(False)
