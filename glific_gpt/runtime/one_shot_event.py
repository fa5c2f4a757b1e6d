"""An event for calls on the event loop and for threads."""

import asyncio
import threading
from collections.abc import Iterable

from sqlalchemy.util import concurrency

from glific_gpt.runtime import bridge, event_loop


class OneShotEvent:
    """An event that is set once and awaited by the call or thread that created it.

    asyncio.Event cannot be set from a thread, and threading.Event would block the event loop.
    """

    def __init__(self) -> None:
        self._thread_event = None if event_loop.is_on_loop() else threading.Event()
        self._is_set = False
        self._waiter: asyncio.Future[bool] | None = None

    def wait(self, seconds: float, *, gives_up_slot: bool = False) -> bool:
        """Tell whether the event was set within that time.

        A call on the event loop can give up its slot meanwhile, so that more calls can begin.
        """
        if self._thread_event:
            event_loop.require_thread("OneShotEvent.wait")
            return self._thread_event.wait(seconds)
        if self._is_set:  # set before anything waited: a future that is created now would never be woken
            return True
        self._waiter = event_loop.loop().create_future()
        timer = event_loop.loop().call_later(seconds, self._wake)
        try:
            return bridge.await_(self._result()) if gives_up_slot else concurrency.await_(self._waiter)
        finally:
            timer.cancel()

    def set(self) -> None:
        """Set the event, in the event loop's thread. Other threads use `set_all`."""
        if self._thread_event:
            self._thread_event.set()
        else:
            self._is_set = True
            self._wake()

    @staticmethod
    def set_all(events: Iterable["OneShotEvent"]) -> None:
        """Set the events, from any thread. The loop is woken once for all of them: each wake-up is a system call."""
        on_loop = []
        for event in events:
            if event._thread_event:
                event.set()
            else:
                on_loop.append(event)
        if on_loop and event_loop.is_on_loop():
            OneShotEvent._set_on_loop(on_loop)
        elif on_loop:
            event_loop.loop().call_soon_threadsafe(OneShotEvent._set_on_loop, on_loop)

    @staticmethod
    def _set_on_loop(events: Iterable["OneShotEvent"]) -> None:
        for event in events:
            event.set()

    async def _result(self) -> bool:
        return await self._waiter if self._waiter else self._is_set

    def _wake(self) -> None:
        # The timer and `set` can both wake the waiter in one pass of the loop, and a future accepts one result only.
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(self._is_set)
