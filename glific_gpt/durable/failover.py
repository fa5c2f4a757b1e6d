"""Worker failover: requeue the work of dead processes. DBOS does this only with its paid service (Conductor)."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from glific_gpt.durable.dbos_internals import FAILOVER_QUEUE, HOLDER, MAIN_QUEUE
from glific_gpt.durable.locks import ProcessLocks

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

RENEW_SECONDS = 1.0
POLL_SECONDS = 2.0
STOP_TIMEOUT_SECONDS = 2.0
"""How long an unresponsive database may delay the end of a process."""

log = structlog.get_logger()


class WorkerFailover:
    """A thread that renews the lock of this process and, in a consumer, requeues the work of dead processes.

    With `on_consumer` the process is not a consumer yet. It tries every second to become one, calls `on_consumer`
    once, and requeues work from then on.
    """

    def __init__(
        self,
        client: "DBOSClient",
        locks: ProcessLocks,
        executor: str,
        *,
        is_consumer: bool,
        on_consumer: Callable[[], None] | None = None,
    ) -> None:
        self._client = client
        self._locks = locks
        self._executor = executor
        self._is_consumer = is_consumer
        self._on_consumer = on_consumer
        self._free_since: dict[str, float] = {}
        """Monotonic time at which the lock of a process was first found free, by the name of the process."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker-failover", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop_becoming_consumer(self) -> None:
        """Never become a consumer from now on: this process is about to end."""
        self._on_consumer = None

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_SECONDS)

    def _run(self) -> None:
        next_poll, is_failing = 0.0, False
        while True:
            try:
                # First, because other processes wait only for the grace period.
                self._locks.renew()
                self._try_become_consumer()
                if self._is_consumer and time.monotonic() >= next_poll:
                    next_poll = time.monotonic() + POLL_SECONDS
                    self.poll()
                is_failing = False
            except Exception as failure:  # noqa: BLE001 - the thread must survive every failure of the database
                if not is_failing:  # log the first of a series
                    log.warning("failover_poll_failed", reason=type(failure).__name__)
                is_failing = True
                # While the database could not be asked, a living process could not renew its lock either.
                self._free_since.clear()
            if self._stopping.wait(RENEW_SECONDS):
                return

    def _try_become_consumer(self) -> None:
        if (on_consumer := self._on_consumer) and self._locks.try_become_consumer():
            on_consumer()
            # Removed only after the call has succeeded, so that a failed one is repeated in a second.
            self._on_consumer, self._is_consumer = None, True

    def poll(self) -> None:
        """Requeue the work of every process after its lock was free for the grace period."""
        others = self._other_busy_executors()
        self._free_since = {name: since for name, since in self._free_since.items() if name in others}
        now = time.monotonic()
        for executor in others:
            if self._locks.is_held(executor):
                self._free_since.pop(executor, None)
            elif now - self._free_since.setdefault(executor, now) >= self._locks.grace_seconds:
                self._requeue_work_of(executor)

    def _other_busy_executors(self) -> set[str]:
        return {executor for executor, _ in self._list_work()} - {self._executor}

    def _list_work(self) -> "list[tuple[str, WorkflowStatus]]":
        """Return the work that running processes do or hold, each with its process."""
        running = self._client.list_workflows(status="PENDING", load_input=False, load_output=False)
        held = self._client.list_workflows(status="DELAYED", queue_name=MAIN_QUEUE, load_input=False, load_output=False)
        work = [(workflow.executor_id, workflow) for workflow in running]
        work += [((workflow.attributes or {}).get(HOLDER), workflow) for workflow in held]
        return [(executor, workflow) for executor, workflow in work if executor]

    def _requeue_work_of(self, executor: str) -> None:
        """Requeue the work of a dead process, under its lock, so that only one of several polling processes does."""
        with self._locks.try_lock(executor) as is_free:
            if not is_free:
                return
            # Listed again under the lock: another process may have requeued the work in between.
            work = [workflow for of_executor, workflow in self._list_work() if of_executor == executor]
            for workflow in work:
                self._client.resume_workflow(workflow.workflow_id, queue_name=workflow.queue_name or FAILOVER_QUEUE)
        log.warning("failover_completed", executor=executor, count=len(work))
