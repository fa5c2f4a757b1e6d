"""Watchdog of the event loop: an error in the log for each time that something keeps the loop from running calls."""

import asyncio
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import structlog

from glific_gpt.metrics import recording

LIMIT_SECONDS = 0.25
"""Longest time that the loop may need to run a callback that is ready."""
TICK_SECONDS = 0.05
"""Interval of the checks."""
MAX_FRAMES = 40
"""Innermost frames of the stack that are logged."""

log = structlog.get_logger()

_lock = threading.Lock()
_blocked_count = 0


def blocked_count() -> int:
    """Return how often the event loop of this process was blocked since its start."""
    return _blocked_count


class _ThreadTimes(NamedTuple):
    """Times of a thread in seconds, as Linux counts them in schedstat."""

    running: float
    queued: float
    """Time for which the thread was ready, and the operating system ran others."""


@dataclass(frozen=True)
class _Sample:
    """Clocks at one moment."""

    wall: float
    threads: Mapping[str, _ThreadTimes]

    def blocked_until(self, later: "_Sample") -> float:
        """Return for how many seconds the process itself kept the loop from running, at most.

        A suspended process and a busy machine do not count: the loop may wait for a lock whose thread is queued. If
        this thread was late too, a single thread held Python's lock for as long as it was running, or many threads took
        turns, or the process did not run.
        """
        elapsed = later.wall - self.wall
        changes = [
            (later.threads[name].running - before.running, later.threads[name].queued - before.queued)
            for name, before in self.threads.items()
            if name in later.threads
        ]
        queued = sum(queued for _, queued in changes)
        longest_run = max((running for running, _ in changes), default=0.0)
        return max(0.0, min(elapsed - queued, elapsed if elapsed < 2 * TICK_SECONDS else longest_run))


class Watchdog:
    """Watches an event loop from a thread of its own, until it is stopped. Create it in the thread of that loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop watching, from any thread."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            answered = threading.Event()
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(answered.set)
                self._measure(answered)

    def _measure(self, answered: threading.Event) -> None:
        """Wait until the loop has answered, and report once if that takes too long."""
        if answered.wait(TICK_SECONDS):
            return
        blocked, is_reported, before = TICK_SECONDS, False, _take_sample()
        while not self._stopped.is_set():
            is_over = answered.wait(TICK_SECONDS)
            now = _take_sample()
            blocked += before.blocked_until(now)
            before = now
            if blocked > LIMIT_SECONDS and not is_reported:
                is_reported = True
                self._report()
            if is_over:
                break
        if is_reported:
            log.error("event_loop_unblocked", seconds=round(blocked, 2))

    def _report(self) -> None:
        global _blocked_count  # noqa: PLW0603 - one number for the process
        with _lock:
            _blocked_count += 1
        recording.event_loop_blocked()
        log.error("event_loop_blocked", stack=_describe_stack(sys._current_frames().get(self._thread_id)))


def _take_sample() -> _Sample:
    threads = {}
    with suppress(OSError):  # the process can open no more files
        for file in Path("/proc/self/task").glob("*/schedstat"):
            with suppress(OSError, ValueError):  # the thread has ended, or the kernel does not count
                running, queued, _ = file.read_text().split()
                threads[file.parent.name] = _ThreadTimes(int(running) / 1e9, int(queued) / 1e9)
    return _Sample(time.monotonic(), threads)


def _describe_stack(frame: FrameType | None) -> list[str]:
    """Return `file:line function` of the innermost frames, the outermost of them first. Values are never included."""
    frames: list[str] = []
    while frame is not None and len(frames) < MAX_FRAMES:
        path = Path(*Path(frame.f_code.co_filename).parts[-3:])
        frames.append(f"{path}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return frames[::-1]
