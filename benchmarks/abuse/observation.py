"""The organization that is not attacking: its calls, and requests for /livez, from a process of its own."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from benchmarks.fairness import PAUSE_SECONDS, Calls
from benchmarks.webhook_calls import REPLY_TIMEOUT_SECONDS, Caller, send


@dataclass
class Observation:
    """The figures, complete when the observation is over."""

    calls: Calls = field(default_factory=Calls)
    longest_livez_ms: float = 0.0
    """An upper bound of the time for which the event loop was blocked."""


@contextmanager
def observing(caller: Caller) -> Iterator[Observation]:
    """Make one call after another, and ask for /livez 50 times a second, while the block runs."""
    context, observation = get_context("spawn"), Observation()
    ours, theirs = context.Pipe()
    process = context.Process(target=_observe, args=(caller, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        ours.recv()  # the first call was answered
        yield observation
        ours.send(None)
        observation.calls, observation.longest_livez_ms = ours.recv()
    finally:
        ours.close()
        process.join(1)
        process.kill()
        process.join()


def _observe(caller: Caller, parent: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    with suppress(EOFError, OSError):  # the parent has ended
        asyncio.run(_call_until_told(caller, parent))


async def _call_until_told(caller: Caller, parent: Connection) -> None:
    await send(caller, 1)
    parent.send(None)
    is_over = asyncio.Event()
    calls, livez = asyncio.create_task(_call(caller, is_over)), asyncio.create_task(_ask_for_livez(caller, is_over))
    while not parent.poll():  # also true when the parent has ended
        await asyncio.sleep(PAUSE_SECONDS)
    is_over.set()
    parent.send((await calls, await livez))


async def _call(caller: Caller, is_over: asyncio.Event) -> Calls:
    calls = Calls()
    while not is_over.is_set():
        calls.add(await send(caller, 1))
        await asyncio.sleep(PAUSE_SECONDS)
    return calls


async def _ask_for_livez(caller: Caller, is_over: asyncio.Event) -> float:
    """Return the milliseconds of the longest request."""
    address, longest = urlsplit(caller.url), 0.0
    request = f"GET /livez HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode()
    while not is_over.is_set():
        sent_at = time.monotonic()
        with suppress(OSError):  # TimeoutError is one
            async with asyncio.timeout(REPLY_TIMEOUT_SECONDS):
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                sent_at = time.monotonic()
                writer.write(request)
                await reader.read()
                writer.close()
        longest = max(longest, (time.monotonic() - sent_at) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    return longest
