"""Taking over: the work of processes that are dead goes back into the queue. DBOS does not do that by itself."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from glific_gpt.durable.dbos_internals import TAKEN_OVER
from glific_gpt.durable.locks import Locks

if TYPE_CHECKING:
    from dbos import DBOSClient

KEEP_SECONDS = 1.0
LOOK_SECONDS = 2.0
STOP_SECONDS = 2.0
"""How long a database that has gone silent may keep a process from ending."""

log = structlog.get_logger()


class Takeover:
    """Keeps the lock of this process and, if it is to take over, looks after those of others.

    With `on_turn` it takes over from when this process may listen; that is called then.
    """

    def __init__(
        self,
        client: "DBOSClient",
        locks: Locks,
        executor: str,
        *,
        takes_over: bool,
        on_turn: Callable[[], None] | None = None,
    ) -> None:
        self._client = client
        self._locks = locks
        self._executor = executor
        self._takes_over = takes_over
        self._on_turn = on_turn
        self._free_since: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="takeover", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def decline(self) -> None:
        """A turn that comes from now on is another process's."""
        self._on_turn = None

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        next_look, blind = 0.0, False
        while True:
            try:
                self._locks.keep()
                self._take_turn()
                if self._takes_over and time.monotonic() >= next_look:
                    next_look = time.monotonic() + LOOK_SECONDS
                    self.look()
                blind = False
            except Exception as failure:  # noqa: BLE001 - whatever the database does, the next look comes
                if not blind:
                    log.warning("not_looked_after", reason=type(failure).__name__)
                blind = True
                self._free_since.clear()  # while nobody could be asked, nobody was found dead
            if self._stopping.wait(KEEP_SECONDS):
                return

    def _take_turn(self) -> None:
        if (begin := self._on_turn) and self._locks.may_listen():
            begin()
            self._on_turn, self._takes_over = None, True

    def look(self) -> None:
        """Takes over from every process whose lock has been free for long enough."""
        others = self._others_at_work()
        self._free_since = {name: since for name, since in self._free_since.items() if name in others}
        now = time.monotonic()
        for executor in others:
            if self._locks.is_held(executor):
                self._free_since.pop(executor, None)
            elif now - self._free_since.setdefault(executor, now) >= self._locks.grace_seconds:
                self._take_over(executor)

    def _others_at_work(self) -> set[str]:
        pending = self._client.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {workflow.executor_id for workflow in pending if workflow.executor_id} - {self._executor}

    def _take_over(self, executor: str) -> None:
        """Under the dead one's lock: of several that look, one alone takes over, and each piece of work once."""
        with self._locks.taking(executor) as free:
            if not free:
                return
            pending = self._client.list_workflows(
                status="PENDING", executor_id=executor, load_input=False, load_output=False
            )
            for workflow in pending:
                self._client.resume_workflow(workflow.workflow_id, queue_name=workflow.queue_name or TAKEN_OVER)
        log.warning("taken_over", executor=executor, count=len(pending))
