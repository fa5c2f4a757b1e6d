"""Ending in an orderly way: who stops a command in its middle finds nothing left open by it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOPPED = 128 + signal.SIGTERM
"""The exit code that shells give a program that was stopped so."""


@contextmanager
def orderly_end() -> Iterator[None]:
    """While inside, SIGTERM runs what stands in `finally`, as Ctrl-C does."""
    # Python lets no other thread say what signals do.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(STOPPED)
