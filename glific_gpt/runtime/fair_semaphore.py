"""A semaphore for threads, with a limited number of waiting threads for each group."""

import threading
from collections import deque

from glific_gpt.runtime.event_loop import blocking


class FairSemaphore:
    """Slots for threads. A group with much work has few waiting threads, so that other groups get a slot in time.

    A waiting thread serves no other request, so the number of all waiting threads is limited too.
    """

    def __init__(self, number: int, *, max_waiting: int, max_waiting_of_group: int) -> None:
        self._free = number
        self._max_waiting = max_waiting
        self._max_waiting_of_group = max_waiting_of_group
        self._waiting: deque[tuple[str, object]] = deque()
        self._changed = threading.Condition()

    @blocking
    def acquire(self, group: str, timeout: float) -> bool:
        """Take a slot. Return False at once if too many threads wait, or after `timeout` seconds without a slot."""
        with self._changed:
            if not self._free or self._waiting:
                if not self._may_wait(group):
                    return False
                if not self._wait(group, timeout):
                    return False
            self._free -= 1
            return True

    def release(self) -> None:
        """Give the slot to the thread that has waited for the longest time."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def _may_wait(self, group: str) -> bool:
        of_group = sum(1 for name, _ in self._waiting if name == group)
        return len(self._waiting) < self._max_waiting and of_group < self._max_waiting_of_group

    @blocking
    def _wait(self, group: str, timeout: float) -> bool:
        mine = (group, object())
        self._waiting.append(mine)
        try:
            return self._changed.wait_for(lambda: self._free > 0 and self._waiting[0] is mine, timeout)
        finally:
            self._waiting.remove(mine)
            self._changed.notify_all()  # another thread is the first one now
