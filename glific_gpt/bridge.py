"""Waiting: a call that the server's event loop runs leaves its thread to others while it waits.

It runs in a greenlet, as ordinary code that calls ordinary functions. Elsewhere, in commands, workers and tests, the
functions of this file simply hold up their thread.
"""

import asyncio
import contextvars
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

Result = TypeVar("Result")

THREADS = 16
"""For what can only be waited for in a thread, such as the database."""

_threads = ThreadPoolExecutor(THREADS, "waiting")
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


class _Call(greenlet):  # type: ignore[misc]
    """What the event loop runs."""

    has_place = False


AT_ONCE = 16
"""Calls that are being worked on, of all that wait: otherwise a thousand that come together would all be begun before
the first is sent to OpenAI, and all be late."""

PATIENCE = 2.0
"""Seconds; who has waited so long goes on without a place: those that have one may be waiting for a database."""


class _Places:
    """The places of calls that are worked on, given in the order in which calls ask; of the loop's thread alone."""

    def __init__(self) -> None:
        self.calls = 0
        """Those under way, whether they have a place or not."""
        self._free = AT_ONCE
        self._waiting: deque[asyncio.Future[bool]] = deque()

    async def take(self, call: _Call) -> None:
        if self._free:
            self._free -= 1
            call.has_place = True
            return
        here = asyncio.get_running_loop()
        turn = here.create_future()
        self._waiting.append(turn)
        late = here.call_later(PATIENCE, _answer, turn, False)  # noqa: FBT003 - of a callback
        call.has_place = await turn
        late.cancel()

    def give(self, call: _Call) -> None:
        if not call.has_place:
            return
        call.has_place = False
        while self._waiting:
            if _answer(self._waiting.popleft(), True):  # noqa: FBT003
                return
        self._free += 1


_places = _Places()


def _answer(turn: "asyncio.Future[bool]", has_come: bool) -> bool:  # noqa: FBT001 - of a callback
    """Whether the turn was still waited for."""
    if turn.done():
        return False
    turn.set_result(has_come)
    return True


async def run(function: Callable[..., Result], *arguments: Any) -> Result:
    """What the function gives; while it waits, the loop runs others."""
    call = _Call(function)
    call.gr_context = contextvars.copy_context()
    _places.calls += 1
    try:
        await _places.take(call)
        said = call.switch(*arguments)
        while not call.dead:
            try:
                value = await said
            except BaseException as error:  # noqa: BLE001 - it is raised where the call waits
                said = call.throw(error)
            else:
                said = call.switch(value)
    finally:
        _places.calls -= 1
        _places.give(call)
    result: Result = said
    return result


def is_on_loop() -> bool:
    """Whether the event loop runs this code, which must not hold it up."""
    return isinstance(getcurrent(), _Call)


def is_alone() -> bool:
    """Whether the event loop runs this code, and no other call is under way."""
    return is_on_loop() and _places.calls == 1


def wait_for(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """What the coroutine gives, run by the one event loop of this process. It may take long."""
    # No variable holds the greenlet: outside the loop it is that of the thread, of which greenlet 3.5 drops a reference
    # that it does not have, when the thread ends while the frame of a failure is being collected as garbage.
    if is_on_loop():
        return _await(_beside(getcurrent(), coroutine))
    return asyncio.run_coroutine_threadsafe(coroutine, loop()).result()


async def _beside(call: _Call, coroutine: Coroutine[Any, Any, Result]) -> Result:
    """A call that waits for long gives up its place meanwhile."""
    _places.give(call)
    try:
        return await coroutine
    finally:
        await _places.take(call)


def in_thread(function: Callable[[], Result]) -> Result:
    """What the function gives, which may wait for anything."""
    if not is_on_loop():
        return function()
    return _await(loop().run_in_executor(_threads, contextvars.copy_context().run, function))


def begin(function: Callable[[], object]) -> None:
    """Has a thread call the function."""
    _threads.submit(function)


def soon(function: Callable[[], object]) -> None:
    """Has the loop call the function when it has run all that can run now."""
    loop().call_soon(function)


def afterwards(function: Callable[[], object]) -> None:
    """Calls the function when the loop has done what it is doing, such as giving an answer; elsewhere at once."""
    soon(function) if is_on_loop() else function()


def sleep(seconds: float) -> None:
    if is_on_loop():
        _await(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


class Signal:
    """Given by one thread, once, and waited for by one call or thread: the one that made it."""

    def __init__(self) -> None:
        self._event = None if is_on_loop() else threading.Event()
        self._is_given = False
        self._waiter: asyncio.Future[bool] | None = None

    def wait(self, seconds: float) -> bool:
        """Whether it was given within that time."""
        if self._event:
            return self._event.wait(seconds)
        if self._is_given:
            return True
        self._waiter = loop().create_future()
        late = loop().call_later(seconds, self._tell)
        try:
            return _await(self._waiter)
        finally:
            late.cancel()

    @staticmethod
    def give(signals: Iterable["Signal"]) -> None:
        """All of them, for which the loop is woken once."""
        on_loop = []
        for signal in signals:
            if signal._event:
                signal._event.set()
            else:
                on_loop.append(signal)
        if on_loop:
            loop().call_soon_threadsafe(Signal.give_on_loop, on_loop)

    @staticmethod
    def give_on_loop(signals: Iterable["Signal"]) -> None:
        """The same, done by the loop itself."""
        for signal in signals:
            if signal._event:
                signal._event.set()
            else:
                signal._is_given = True
                signal._tell()

    def _tell(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(self._is_given)


def _await(awaitable: Awaitable[Result]) -> Result:
    result: Result = getcurrent().parent.switch(awaitable)
    return result


def use(server_loop: asyncio.AbstractEventLoop | None) -> None:
    """This is the loop from now on: a server's own; without one, a thread will run another."""
    global _loop, _places
    _loop, _places = server_loop, _Places()


def loop() -> asyncio.AbstractEventLoop:
    """The one event loop of this process; where no server has one, a thread runs it."""
    global _loop  # noqa: PLW0603
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="loop", daemon=True).start()
        return _loop
