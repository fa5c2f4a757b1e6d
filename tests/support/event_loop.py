"""An event loop that calls wait on, as a server has one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from glific_gpt import bridge


@contextmanager
def server_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The other tests' loop comes back afterwards."""
    loop, before = asyncio.new_event_loop(), bridge._loop
    bridge.set_loop(loop)
    try:
        yield loop
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
        bridge.set_loop(before)
