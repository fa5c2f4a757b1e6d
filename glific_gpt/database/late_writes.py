"""Writes that nobody waits for any more, but that must not be lost while the process lives."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Full, Queue
from threading import Lock, Thread

import structlog
from sqlalchemy.engine import Engine

from glific_gpt.database.base import db
from glific_gpt.database.group_commit import Statement, commit_batch
from glific_gpt.database.session import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, UNAVAILABLE
from glific_gpt.database.timeouts import STATEMENT_TIMEOUT_SECONDS

MAX_WAITING = 10_000
"""Each write holds an answer, and the memory for answers must be limited while a database is unavailable."""

Then = Callable[[int], object]
"""Called after the commit, with the number of changed rows."""

log = structlog.get_logger()


def _do_nothing(_changed_rows: int) -> None: ...


@dataclass(frozen=True)
class _LateWrite:
    engine: Engine
    statements: Sequence[Statement]
    then: Then


class LateWrites:
    """A queue of writes, which one thread repeats until the database accepts them."""

    def __init__(self) -> None:
        self._waiting: Queue[_LateWrite] = Queue(MAX_WAITING)
        self._thread: Thread | None = None
        self._lock = Lock()

    def add(self, statements: Sequence[Statement], engine: Engine | None = None, *, then: Then = _do_nothing) -> None:
        """Write the statements in one transaction, later. Does not block. `engine` is needed without an app context."""
        try:
            self._waiting.put_nowait(_LateWrite(engine or db.engine, statements, then))
        except Full:
            log.error("late_write_dropped", waiting=MAX_WAITING)
            return
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._write_all, name="late-writes", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until all writes are done, and return whether they are."""
        waiting = self._waiting
        with waiting.all_tasks_done:  # Queue.join() has no time-out
            is_done = waiting.all_tasks_done.wait_for(lambda: not waiting.unfinished_tasks, seconds)
            if not is_done:
                log.error("late_writes_lost", count=waiting.unfinished_tasks)
        return is_done

    def _write_all(self) -> None:
        while True:
            late_write = self._waiting.get()
            delay = FIRST_DELAY_SECONDS
            while not _write(late_write):
                time.sleep(delay)
                delay = min(delay * 2, LONGEST_DELAY_SECONDS)
            self._waiting.task_done()


def _write(late_write: _LateWrite) -> bool:
    """Return whether the write is done. One that fails for any reason but the database's absence is dropped."""
    try:
        late_write.then(commit_batch(late_write.engine, [late_write.statements], STATEMENT_TIMEOUT_SECONDS))
    except UNAVAILABLE:
        return False
    except Exception as failure:  # noqa: BLE001 - the thread must survive for the next write
        log.error("late_write_failed", reason=type(failure).__name__)
    return True
