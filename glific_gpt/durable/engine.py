"""The workflow engine: DBOS Transact, in the app's own database."""

import os
import secrets
import socket
import time
from collections.abc import Sequence
from datetime import UTC, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from glific_gpt.clock import now
from glific_gpt.database.connection_shares import ConnectionShares
from glific_gpt.durable import dbos_configuration
from glific_gpt.durable.dbos_internals import (
    HOLDER,
    MAIN_QUEUE,
    configure_dbos_logging,
    set_queues_before_launch,
    start_consuming,
)
from glific_gpt.durable.failover import WorkerFailover
from glific_gpt.durable.locks import ProcessLocks, locks_for
from glific_gpt.durable.schema import POSTGRESQL_SCHEMA
from glific_gpt.durable.workflow import WORKFLOW_NAME, WORKFLOW_VERSION, Handler, register_workflow, set_handler
from glific_gpt.runtime.event_loop import blocking

if TYPE_CHECKING:  # the import takes a third of a second and 25 MB, and most commands do not need DBOS
    from dbos import DBOSClient, EnqueueOptions

FINISHED_RETENTION = timedelta(hours=1)
"""How long DBOS keeps finished workflows. The history of a call is in the app's own tables."""
DELETE_BATCH_SIZE = 500
"""Workflows that are deleted in one transaction. On SQLite, calls wait for it."""
DELETE_PAUSE_SECONDS = 0.1
"""Pause between two of these transactions."""
DELETE_SECONDS = 20.0
"""How long they go on: enough for 50,000 workflows a minute. Two cores finish far fewer."""

UNFINISHED_STATUSES = ["ENQUEUED", "PENDING", "DELAYED"]
FINISHED_STATUSES = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

ENQUEUE = text(
    f"SELECT {POSTGRESQL_SCHEMA}.enqueue_workflow("
    f"workflow_name => '{WORKFLOW_NAME}', queue_name => '{MAIN_QUEUE}', app_version => '{WORKFLOW_VERSION}', "
    f"application_name => '{dbos_configuration.NAME}', "
    "workflow_id => :subject, queue_partition_key => CAST(:partition AS text), "
    "positional_args => ARRAY[to_json(CAST(:subject AS text)), to_json(CAST(:partition AS bigint))])"
)
"""The function of DBOS that enqueues in PostgreSQL (https://docs.dbos.dev/explanations/system-tables).

Its client enqueues one workflow at a time, with two round trips, which took half of the time of an `async` call.
"""


class WorkflowEngine:
    """Durable workflows in one database. Every process can enqueue work; a launched process also runs it.

    A workflow does the work for one subject, which is the id of a call or an e-mail. Its partition is the call's
    organization. That of an e-mail is the negative number of the organization that sends it, or 0.
    """

    def __init__(
        self, url: URL, shares: ConnectionShares, *, max_concurrent: int, max_concurrent_per_partition: int
    ) -> None:
        self._url = url
        self._shares = shares
        self._max_concurrent = max_concurrent
        self._max_concurrent_per_partition = max_concurrent_per_partition
        self._executor = ""
        """Name of this process while it is launched."""
        self._failover: WorkerFailover | None = None

    @blocking
    def enqueue(
        self, session: Session, workflow_id: str, subject: str, partition: int, *, delay_seconds: float = 0.0
    ) -> None:
        """Enqueue work in the transaction of the session. The same workflow id is enqueued only once.

        Running work is limited in total, and for each partition.
        """
        options = self._options(workflow_id, partition)
        if delay_seconds:
            options |= {"delay_seconds": delay_seconds}
        self._enqueue(session, options, subject, partition)

    @blocking
    def enqueue_all(self, session: Session, works: Sequence[tuple[str, int]]) -> None:
        """Enqueue several subjects at once: for each one its id, which is also that of the workflow, and its partition.

        On PostgreSQL, all of them take one round trip.
        """
        if session.get_bind().dialect.name == "postgresql":
            session.flush()
            session.connection().execute(
                ENQUEUE, [{"subject": subject, "partition": partition} for subject, partition in works]
            )
        else:
            for subject, partition in works:
                self.enqueue(session, subject, subject, partition)

    @blocking
    def hold(self, session: Session, workflow_id: str, subject: str, partition: int, seconds: float) -> bool:
        """Enqueue work that waits until this process calls `release`.

        The work also starts after `seconds`, or when this process has died. Returns False if this
        process runs no work: then the work starts immediately, in another process.
        """
        executor, options = self._executor, self._options(workflow_id, partition)
        if executor:
            options |= {"delay_seconds": seconds, "attributes": {HOLDER: executor}}
        self._enqueue(session, options, subject, partition)
        return bool(executor)

    @blocking
    def release(self, *workflow_ids: str) -> None:
        """Start work that is still held. Work that another process has taken over is not started again."""
        if workflow_ids and (held := self._list_ids(workflow_ids=[*workflow_ids], status="DELAYED")):
            self._client.resume_workflows(held, queue_name=MAIN_QUEUE)

    def _options(self, workflow_id: str, partition: int) -> "EnqueueOptions":
        return {
            "workflow_name": WORKFLOW_NAME,
            "queue_name": MAIN_QUEUE,
            "queue_partition_key": str(partition),
            "workflow_id": workflow_id,
            "app_version": WORKFLOW_VERSION,
        }

    def _enqueue(self, session: Session, options: "EnqueueOptions", subject: str, partition: int) -> None:
        session.flush()  # the engine inserts by plain SQL, which has to follow the other rows of the subject
        self._client.enqueue_in_transaction(session, options, subject, partition)

    def has_unfinished(self, prefix: str) -> bool:
        """Return whether a workflow with this prefix of its id is waiting or running."""
        return bool(self._list_ids(workflow_id_prefix=prefix, status=UNFINISHED_STATUSES, limit=1))

    def list_unfinished(self) -> list[str]:
        """Return the ids of all workflows that are waiting or running, in one snapshot."""
        return self._list_ids(status=UNFINISHED_STATUSES)

    def list_known(self, prefix: str) -> list[str]:
        """Return the ids with this prefix of workflows that are unfinished or finished within the last hour."""
        return self._list_ids(workflow_id_prefix=prefix)

    @blocking
    def cancel(self, partition: int) -> list[str]:
        """Cancel the work of a partition that no process has begun, and return the ids of all its unfinished work."""
        unfinished = [
            workflow
            for workflow in self._client.list_workflows(status=UNFINISHED_STATUSES, load_input=False, load_output=False)
            if workflow.queue_partition_key == str(partition)
        ]
        waiting = [workflow.workflow_id for workflow in unfinished if workflow.status != "PENDING"]
        for begin in range(0, len(waiting), DELETE_BATCH_SIZE):
            self._client.cancel_workflows(waiting[begin : begin + DELETE_BATCH_SIZE])
        return [workflow.workflow_id for workflow in unfinished]

    @blocking
    def launch(self, handler: Handler, *, consumes: bool) -> None:
        """Run work in this process: work that it starts itself and, if it consumes, work from the queues.

        If only one process may consume, this process begins to consume when no other process does. A process has one
        engine; call `stop` before a second launch. Raises every error of the database; the launch can be repeated.
        """
        from dbos import DBOS

        configure_dbos_logging()
        set_handler(handler)
        register_workflow()
        # Unique for each launch, so that the lock of a dead process is never taken for the lock of a new one.
        executor = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            # The lock comes first: other processes would requeue the work of a process without a lock.
            self._locks.acquire(executor)
            dbos_configuration.register_queues(
                self._client,
                max_concurrent=self._max_concurrent,
                max_concurrent_per_partition=self._max_concurrent_per_partition,
            )
            is_consumer = consumes and self._locks.try_become_consumer()
            DBOS(config=dbos_configuration.configure(self._url, self._shares, executor))
            set_queues_before_launch(consumes=is_consumer)
            DBOS.launch()
        except Exception:
            # Without this, a repeated launch would find the half-built instance of DBOS, which is one for the process.
            DBOS.destroy()
            self._locks.release()
            raise
        self._failover = WorkerFailover(
            self._client,
            self._locks,
            executor,
            is_consumer=is_consumer,
            on_consumer=start_consuming if consumes and not is_consumer else None,
        )
        self._failover.start()
        self._executor = executor

    @blocking
    def try_become_consumer(self) -> bool:
        """Return whether this process may consume the queue. On SQLite only one process may."""
        return self._locks.try_become_consumer()

    @blocking
    def count_consumers(self, session: Session) -> int:
        """Return how many living processes consume the queue, on all machines."""
        return self._locks.count_consumers(session.connection())

    @blocking
    def stop(self, seconds: int) -> None:
        """Take no new work, wait at most that many seconds for running work, and leave the rest to other processes."""
        if not self._executor:
            return
        from dbos import DBOS

        self._executor = ""
        if self._failover:
            self._failover.stop_becoming_consumer()
        DBOS.destroy(workflow_completion_timeout_sec=seconds)
        # The lock is released last: without it, another process would repeat the work that is still running.
        if self._failover:
            self._failover.stop()
        self._locks.release()

    @blocking
    def delete_finished(self) -> None:
        """Delete finished workflows after the retention time, in batches. DBOS itself keeps them for ever."""
        before = (now() - FINISHED_RETENTION).astimezone(UTC).isoformat()
        until = time.monotonic() + DELETE_SECONDS
        while ids := self._list_ids(status=FINISHED_STATUSES, completed_before=before, limit=DELETE_BATCH_SIZE):
            self._client.delete_workflows(ids)
            if time.monotonic() > until:
                break
            time.sleep(DELETE_PAUSE_SECONDS)

    def close(self) -> None:
        """Stop, and close the connections. For tests and for commands that end."""
        self.stop(0)
        if "_client" in self.__dict__:
            self._client.destroy()
            del self.__dict__["_client"]

    @blocking
    def _list_ids(self, **filters: Any) -> list[str]:
        """Return the ids of the workflows that match these filters of DBOS, without reading inputs and outputs."""
        workflows = self._client.list_workflows(load_input=False, load_output=False, **filters)
        return [workflow.workflow_id for workflow in workflows]

    @cached_property
    def _locks(self) -> ProcessLocks:
        return locks_for(self._url)

    @cached_property
    def _client(self) -> "DBOSClient":
        return dbos_configuration.create_client(self._url, self._shares)
