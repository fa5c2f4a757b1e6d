"""A pool whose connections go to waiting threads in order.

In SQLAlchemy's own pool, a thread that returns a connection and needs one again gets it before those that wait.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, local
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlalchemy.util.queue import Empty

from glific_gpt.database import failures
from glific_gpt.runtime.event_loop import blocking

_thread = local()


@contextmanager
def for_batch() -> Iterator[None]:
    """Mark what this thread writes as a batch of several calls, which does not wait behind all single transactions."""
    _thread.is_batch = True
    try:
        yield
    finally:
        _thread.is_batch = False


class FairSemaphore:
    """A semaphore that is passed on in the order of requests, and alternates between batches and other transactions."""

    def __init__(self, number: int) -> None:
        self._guard = Lock()
        self._free = number
        self._batches: deque[Lock] = deque()
        self._others: deque[Lock] = deque()
        self._was_batch = False
        """True if it was last passed on to a batch."""

    @blocking
    def acquire(self, timeout: float, *, is_batch: bool) -> bool:
        """Return False if it was not passed on to this thread in that many seconds."""
        waiting = self._batches if is_batch else self._others
        with self._guard:
            if self._free:
                self._free -= 1
                return True
            mine = Lock()
            mine.acquire()
            waiting.append(mine)
        if mine.acquire(timeout=timeout):
            return True
        with self._guard:
            if mine not in waiting:  # it was passed on in the same moment
                return True
            waiting.remove(mine)
            return False

    def release(self) -> None:
        """Pass it on to the next thread that waits."""
        with self._guard:
            if not self._batches and not self._others:
                self._free += 1
                return
            self._was_batch = bool(self._batches) and not (self._was_batch and self._others)
            (self._batches if self._was_batch else self._others).popleft().release()


class FairPool(QueuePool):
    """A pool of exactly `pool_size` connections."""

    def __init__(self, creator: Any, **options: Any) -> None:
        super().__init__(creator, **options)
        self._semaphore = FairSemaphore(self.size())

    @blocking
    def _do_get(self) -> ConnectionPoolEntry:
        if not self._semaphore.acquire(self.timeout(), is_batch=getattr(_thread, "is_batch", False)):
            raise PoolTimeoutError("The connection was not free before the time-out.")
        try:
            return self._connect_or_wait()
        except BaseException:
            self._semaphore.release()
            raise

    def _connect_or_wait(self) -> ConnectionPoolEntry:
        """Wait for a connection in use, if the database does not allow another one."""
        try:
            return super()._do_get()
        except Exception as failure:
            if failures.is_connection_limit(failure) and self.checkedin() + self.checkedout():
                with suppress(Empty):
                    return self._pool.get(True, self.timeout())
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        try:
            super()._do_return_conn(record)
        finally:
            self._semaphore.release()
