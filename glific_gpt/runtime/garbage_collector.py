"""Pauses of Python's garbage collector, which scans all new objects again and again.

The collector stops all threads of the process while it scans.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Pause the collector during a computation that creates many objects."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def paused_for_start() -> Iterator[None]:
    """Pause the collector while a process imports modules and creates its app. This takes a quarter of the start.

    These objects live as long as the process, so that the collector never scans them.
    """
    with paused():
        yield
        gc.freeze()
