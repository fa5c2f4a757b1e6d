"""Slots for the work of threads, granted to the waiting groups in rotation and to small groups first."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from glific_gpt.runtime.event_loop import blocking
from glific_gpt.runtime.turns import Turns


class ThreadSlots:
    """A semaphore for threads.

    Every second slot goes to the next group in rotation, so that each group gets some. The others go to the group with
    the fewest threads, so that a newcomer waits for one or two slots, however many groups wait. A group may hold
    `max_of_group` slots, by default all.
    """

    def __init__(self, number: int, max_of_group: int | None = None) -> None:
        self._free = number
        self._max_of_group = max_of_group or number
        self._held: Counter[object] = Counter()
        """Slots in use, by group."""
        self._threads: Counter[object] = Counter()
        """Threads that hold a slot, wait for one, or pause, by group."""
        self._is_for_smallest = False
        """True if the next slot goes to the smallest group."""
        self._waiting = Turns[threading.Lock]()
        self._guard = threading.Lock()
        self._thread = threading.local()

    @contextmanager
    def hold(self, group: object) -> Iterator[None]:
        """Wait for a slot, and hold it. Not while this thread holds one already."""
        with self._guard:
            self._threads[group] += 1
        self.acquire(group)
        self._thread.group = group
        try:
            yield
        finally:
            del self._thread.group
            self.release(group)
            with self._guard:
                self._threads -= Counter([group])

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Free the slot of this thread, if it holds one, and wait for a slot again at the end."""
        if not hasattr(self._thread, "group"):
            yield
            return
        group = self._thread.group
        self.release(group)
        try:
            yield
        finally:
            self.acquire(group)

    @blocking
    def acquire(self, group: object) -> None:
        """Wait for a slot. It need not be released by the same thread."""
        granted = threading.Lock()
        granted.acquire()
        with self._guard:
            self._waiting.push(group, granted)
            self._grant()
        granted.acquire()

    def release(self, group: object) -> None:
        """Free a slot, or pass it on to a waiting thread."""
        with self._guard:
            self._free += 1
            self._held -= Counter([group])
            self._grant()

    def _grant(self) -> None:
        while self._free and (group := self._next_group()) is not None:
            self._free -= 1
            self._held[group] += 1
            self._waiting.pop_of(group).release()

    def _next_group(self) -> object | None:
        groups = [group for group in self._waiting.groups() if self._held[group] < self._max_of_group]
        self._is_for_smallest = not self._is_for_smallest
        if self._is_for_smallest:
            return min(groups, key=self._threads.__getitem__, default=None)
        return groups[0] if groups else None
