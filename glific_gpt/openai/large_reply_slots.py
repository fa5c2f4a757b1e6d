"""Slots for calls with a large reply: a few at a time, so that replies cannot use up the memory of the process.

A call keeps its slot until it ends, because first the reply, then its decoded form and the answer are in memory.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from weakref import WeakKeyDictionary

import httpx2

from glific_gpt.runtime.call_context import current_group
from glific_gpt.runtime.fair_slots import FairSlots

LARGE_BYTES = 32 * 1024
"""Size from which a reply is large. A message of WhatsApp's length is smaller in every script."""
SLOTS = 16
SLOTS_PER_ORGANIZATION = 4


class _Slots:
    """The slots of one event loop, whose thread alone may use them. Organizations get them in rotation."""

    def __init__(self) -> None:
        self._all = FairSlots(SLOTS)
        self._by_group: defaultdict[str, FairSlots] = defaultdict(lambda: FairSlots(SLOTS_PER_ORGANIZATION))

    async def acquire(self, group: str, timeout: float) -> bool:
        ends_at = time.monotonic() + timeout
        of_group = self._by_group[group]
        if not await of_group.acquire(group, timeout):
            return False
        is_held = False
        try:
            is_held = await self._all.acquire(group, max(0.0, ends_at - time.monotonic()))
        finally:
            if not is_held:
                of_group.release()
        return is_held

    def release(self, group: str) -> None:
        self._all.release()
        self._by_group[group].release()


_slots: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Slots]" = WeakKeyDictionary()
"""A process has one event loop. Tests have several."""


class CallSlot:
    """The slot of one call. It has none until its first large reply."""

    def __init__(self) -> None:
        self._group = current_group()
        self._loop: asyncio.AbstractEventLoop | None = None
        """The event loop of the slot that the call holds."""
        self._has_ended = False
        self._lock = Lock()
        """A call can end in another thread while the event loop takes its slot, which would never be freed."""

    async def take(self, timeout: float) -> bool:
        """Take a slot, unless the call has one. Return False if there was none in time, or the call has ended."""
        loop = asyncio.get_running_loop()
        if self._loop:
            return True
        slots = _slots.setdefault(loop, _Slots())
        if not await slots.acquire(self._group, timeout):
            return False
        with self._lock:
            if self._has_ended or self._loop:
                slots.release(self._group)
                return not self._has_ended
            self._loop = loop
        return True

    def end(self) -> None:
        """Free the slot, from any thread."""
        with self._lock:
            self._has_ended = True
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_slots[self._loop].release, self._group)


_current: ContextVar[CallSlot | None] = ContextVar("large_reply_slot", default=None)


@contextmanager
def hold_until_end() -> Iterator[None]:
    """Let the call inside the block keep its slot until the end of the block."""
    slot = CallSlot()
    token = _current.set(slot)
    try:
        yield
    finally:
        _current.reset(token)
        slot.end()


def slot_of_call() -> CallSlot | None:
    """Return the slot object of the current call; None outside of `hold_until_end`."""
    return _current.get()


async def take_slot(timeout: float) -> None:
    """Take a slot if this is inside `hold_until_end`. Raises httpx2.ReadTimeout if none is free in time."""
    slot = slot_of_call()
    if slot and not await slot.take(timeout):
        raise httpx2.ReadTimeout("too many large replies at the same time")
