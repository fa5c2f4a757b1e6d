"""A queue of items that concurrent calls write together: one writer at a time takes all of them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from glific_gpt.database.session import UNAVAILABLE, run_in_executor
from glific_gpt.runtime import bridge, call_context, call_threads, event_loop
from glific_gpt.runtime.one_shot_event import OneShotEvent
from glific_gpt.runtime.turns import Turns

Item = TypeVar("Item")

Commit = Callable[[list[Item]], object]
"""Writes a batch in one transaction. Raises an exception if nothing was written."""


@dataclass(eq=False)
class _Entry(Generic[Item]):
    """An item of one call, and its result."""

    item: Item
    group: object
    done: OneShotEvent = field(default_factory=OneShotEvent)
    failure: Exception | None = None


class BatchQueue(Generic[Item]):
    """Items that arrive during a commit are batched into the next one. A call waits until its batch is committed."""

    def __init__(
        self,
        timeout: float,
        max_batch: int | None = None,
        group_of: Callable[[Item], object] = lambda _item: None,
        *,
        gives_up_slot: bool = False,
    ) -> None:
        """An item waits at most `timeout` seconds in the queue, and as long for its commit.

        If not all items fit into a batch, the groups of `group_of` take turns. With `gives_up_slot`, a batch can be
        larger than the number of slots for calls (`runtime/bridge.py`).
        """
        self._gives_up_slot = gives_up_slot
        self._timeout = timeout
        self._max_batch = max_batch
        self._group_of = group_of
        self._pending: Turns[_Entry[Item]] = Turns()
        self._lock = Lock()
        self._is_writing = False

    def write(
        self,
        item: Item,
        commit: Commit[Item],
        try_on_loop: Callable[[list[Item]], bool] | None = None,
        *,
        blocks: bool = True,
    ) -> None:
        """Return after the commit. Raises what `commit` raises for this item, and the errors in UNAVAILABLE.

        A thread calls `commit`, or a greenlet on the event loop if it does not block. On the loop, `try_on_loop` is
        called first if there is one, and a batch for which it returns False is left to a thread.
        """
        mine = _Entry(item, self._group_of(item))
        with self._lock:
            self._pending.push(mine.group, mine)
            # Under the lock: a writer clears the flag in the same step in which it finds the queue empty, so each item
            # is either in the batch of a running writer, or starts a new one.
            is_writing, self._is_writing = self._is_writing, True
        if not is_writing:
            self._start(commit, try_on_loop, blocks=blocks)
        if not mine.done.wait(call_context.limit_wait(self._timeout), gives_up_slot=self._gives_up_slot):
            self._give_up(mine)
        if isinstance(mine.failure, UNAVAILABLE):
            raise mine.failure
        # The database may have refused another call's item, so each call tries again alone.
        if mine.failure:
            run_in_executor(lambda: commit([item]))

    def _start(self, commit: Commit[Item], try_on_loop: Callable[[list[Item]], bool] | None, *, blocks: bool) -> None:
        if try_on_loop and event_loop.is_on_loop():
            # Not immediately: calls that are ready in this pass of the loop get into the same batch.
            event_loop.call_soon(lambda: self._write_on_loop(commit, try_on_loop))
        elif not blocks and event_loop.is_on_loop():
            bridge.start(lambda: self._write_all(commit))
        else:
            call_threads.submit(lambda: self._write_all(commit))

    def _write_on_loop(self, commit: Commit[Item], try_on_loop: Callable[[list[Item]], bool]) -> None:
        batch = self._next_batch()
        if try_on_loop([each.item for each in batch]):
            for each in batch:
                each.done.set()
            batch = []
        with self._lock:
            for each in batch:  # it was not written
                self._pending.push(each.group, each)
            has_more = self._is_writing = bool(self._pending)
        if has_more:
            call_threads.submit(lambda: self._write_all(commit))

    def _write_all(self, commit: Commit[Item]) -> None:
        """Write one batch after another until none is pending."""
        while batch := self._next_batch():
            failure: Exception | None = None
            try:
                commit([each.item for each in batch])
            except Exception as error:  # noqa: BLE001 - it is handled in each of the waiting calls
                failure = error
            # Set before the events: a call reads them as soon as it is woken.
            for each in batch:
                each.failure = failure
            OneShotEvent.set_all(each.done for each in batch)

    def _next_batch(self) -> list[_Entry[Item]]:
        with self._lock:
            size = min(self._max_batch or len(self._pending), len(self._pending))
            batch = [self._pending.pop() for _ in range(size)]
            self._is_writing = bool(batch)
            return batch

    def _give_up(self, mine: _Entry[Item]) -> None:
        """Raise PoolTimeoutError, unless the item is being committed: that is bounded by its own time-outs."""
        # `remove` raises ValueError if the item has left the queue, because it is part of the running commit.
        with self._lock, suppress(ValueError):
            self._pending.remove(mine.group, mine)
            raise PoolTimeoutError("The write was still queued behind other writes after the time-out.")
        if not mine.done.wait(call_context.limit_wait(self._timeout)):
            raise PoolTimeoutError("The database did not confirm the write before the time-out.")
