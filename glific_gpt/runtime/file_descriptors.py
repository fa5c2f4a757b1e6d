"""File descriptors of this process: its limit, and a line in the log when it is reached."""

import asyncio
import errno
import os
import resource
import threading
import time

import structlog

CHECK_SECONDS = 0.5
REPEAT_SECONDS = 60.0
"""How often the line is repeated while there are none."""
EXHAUSTED_ERRORS = {errno.EMFILE, errno.ENFILE}

log = structlog.get_logger()


def raise_limit() -> None:
    """Raise the soft limit on open files: each call uses two connections, and most systems allow 1,024."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


class FileDescriptorMonitor:
    """Logs when the process can open no more files, and when it can again.

    The event loop itself does not tell: it closes the connections that it cannot accept.
    """

    def __init__(self) -> None:
        self._logged_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def check(self) -> None:
        if not are_exhausted():
            if self._logged_at is not None:
                log.warning("file_descriptors_recovered")
            self._logged_at = None
        elif self._logged_at is None or time.monotonic() - self._logged_at >= REPEAT_SECONDS:
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            log.error("file_descriptors_exhausted", limit=limit)
            self._logged_at = time.monotonic()

    def start_on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Check regularly on the event loop, until `stop`.

        In a thread, a check could take the descriptor that the loop needs to accept and close a connection. The loop
        would then use all CPU time until there are descriptors again.
        """
        self.check()
        self._timer = loop.call_later(CHECK_SECONDS, self.start_on_loop, loop)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def start_in_thread(self) -> None:
        """Check regularly in a thread, for processes without an event loop."""
        threading.Thread(target=self._run, name="file-descriptors", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.check()
            time.sleep(CHECK_SECONDS)


def are_exhausted() -> bool:
    """Return whether the process, or the machine, has no more file descriptors."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as failure:
        return failure.errno in EXHAUSTED_ERRORS
    return False
