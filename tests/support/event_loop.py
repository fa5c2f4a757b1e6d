"""An event loop like that of a server process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from glific_gpt.runtime import bridge, event_loop


@contextmanager
def server_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Make a new loop the bridge's loop, and restore the previous one afterwards."""
    loop, before = asyncio.new_event_loop(), event_loop.current_loop()
    bridge.set_loop(loop)
    try:
        yield loop
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
        bridge.set_loop(before)
