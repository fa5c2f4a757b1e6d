"""The engine of durable work: DBOS Transact, over the app's own database."""

import os
import secrets
import socket
from collections.abc import Callable
from datetime import UTC, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from glific_gpt.clock import now
from glific_gpt.durable.dbos_internals import LATER, QUEUE, TAKEN_OVER, listen_from_launch, listen_from_now, quieten
from glific_gpt.durable.failover import Takeover
from glific_gpt.durable.locks import Locks, locks_for
from glific_gpt.durable.workflow import VERSION, WORKFLOW, Handler, handle_with, registered

if TYPE_CHECKING:  # its import costs a third of a second and 25 MB, which most commands do not need
    from dbos import DBOSClient, DBOSConfig

NAME = "glific_gpt"

POLL_SECONDS = 0.2
"""How long work waits in the queue when there is room: half of it at the median, for 3 % of a core."""
LATER_POLL_SECONDS = 0.5
"""The same for work that was put off; the engine itself wakes it once a second."""

KEPT = timedelta(hours=1)
"""How long the engine remembers what is finished; our own tables have the story."""
FORGET_AT_ONCE = 1000

UNFINISHED = ["ENQUEUED", "PENDING", "DELAYED"]


class Engine:
    """Durable work in one database. Every process can hand work in; one that was launched also does it."""

    def __init__(self, url: URL, *, at_once: int, at_once_each: int) -> None:
        self._url = url
        self._at_once = at_once
        self._at_once_each = at_once_each
        self._is_launched = False
        self._takeover: Takeover | None = None

    def enqueue(self, session: Session, job: str, subject: str, partition: int) -> None:
        """Hands work in, together with what else the session commits. Work of the same name is handed in once.

        Partitions share what can be done at once; each has its own limit.
        """
        self._client.enqueue_in_transaction(
            session,
            {
                "workflow_name": WORKFLOW,
                "queue_name": QUEUE,
                "queue_partition_key": str(partition),
                "workflow_id": job,
                "app_version": VERSION,
            },
            subject,
            partition,
        )

    def start(self, job: str, subject: str, partition: int) -> bool:
        """Begins work in this process, at once and beside the queue; false when this process does none."""
        if not self._is_launched:
            return False
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(job):
            DBOS.start_workflow(registered(), subject, partition)
        return True

    def is_at_work(self, subject: str) -> bool:
        """Whether work whose name begins with that subject is waiting or being done."""
        return bool(self._names(workflow_id_prefix=subject, status=UNFINISHED, limit=1))

    def all_at_work(self) -> list[str]:
        """The names of all work that is waiting or being done, as of one moment."""
        return self._names(status=UNFINISHED)

    def remembered(self, beginning: str) -> list[str]:
        """The names that begin so of work that is waiting, being done, or was finished within the last hour."""
        return self._names(workflow_id_prefix=beginning)

    def launch(self, handler: Handler, *, listens: bool) -> None:
        """Does work in this process from now on: what it starts itself, and what is in the queue if it listens.

        Where one process alone may listen, it does so once no other one does. The engine is one for each process;
        a second launch needs a stop between. Raises whatever the database raises, after which it can be tried again.
        """
        from dbos import DBOS

        quieten()
        handle_with(handler)
        registered()
        executor = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            self._locks.hold(executor)
            self._register_queues()
            has_turn = listens and self._locks.may_listen()
            DBOS(config=self._config(executor))
            listen_from_launch(listens=has_turn)
            DBOS.launch()
        except Exception:
            DBOS.destroy()
            self._locks.release()
            raise
        turn = listen_from_now if listens and not has_turn else None
        self._takeover = Takeover(self._client, self._locks, executor, takes_over=has_turn, on_turn=turn)
        self._takeover.start()
        self._is_launched = True

    def may_listen(self) -> bool:
        """Whether this process may take work from the queue. On SQLite only one may: its limits hold for one alone."""
        return self._locks.may_listen()

    def stop(self, seconds: int) -> None:
        """Takes nothing new, gives what is being done that many seconds, and leaves the rest to other processes."""
        if not self._is_launched:
            return
        from dbos import DBOS

        self._is_launched = False
        if self._takeover:
            self._takeover.decline()
        DBOS.destroy(workflow_completion_timeout_sec=seconds)
        if self._takeover:
            self._takeover.stop()
        self._locks.release()

    def forget_finished(self) -> None:
        """Deletes the engine's own memory of what is finished; it has none of its own accord."""
        before = (now() - KEPT).astimezone(UTC).isoformat()
        ended = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
        if found := self._names(status=ended, completed_before=before, limit=FORGET_AT_ONCE):
            self._client.delete_workflows(found)

    def _names(self, **which: Any) -> list[str]:
        """Of the work that the engine's filters choose; nothing else of it is read."""
        found = self._client.list_workflows(load_input=False, load_output=False, **which)
        return [workflow.workflow_id for workflow in found]

    def close(self) -> None:
        """Gives the connections back; for tests and commands that end."""
        self.stop(0)
        if "_client" in self.__dict__:
            self._client.destroy()
            del self.__dict__["_client"]

    @cached_property
    def _locks(self) -> Locks:
        return locks_for(self._url)

    @cached_property
    def _client(self) -> "DBOSClient":
        from dbos import DBOSClient, DBOSPortableJSONSerializer

        quieten()
        return DBOSClient(
            system_database_url=_text(self._url),
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            retry_connection_errors=False,
            lazy=True,  # a connection must not be shared with processes that are forked
        )

    def _config(self, executor: str) -> "DBOSConfig":
        from dbos import DBOSPortableJSONSerializer

        return {
            "name": NAME,
            "system_database_url": _text(self._url),
            "application_version": VERSION,
            "executor_id": executor,
            # Its default is pickle. Subjects and what steps give are plain JSON, and hold nothing of anybody.
            "serializer": DBOSPortableJSONSerializer(),
            "run_migrations": False,
            "use_listen_notify": False,
            "sys_db_pool_size": 1 if self._url.get_backend_name() == "sqlite" else 10,
            "db_engine_kwargs": {"hide_parameters": True, "pool_events": self._pool_events()},
            "log_level": "WARNING",
        }

    def _pool_events(self) -> "list[tuple[Callable[[Any, object], None], str]]":
        return [] if self._url.get_backend_name() == "sqlite" else [(_be_patient, "connect")]

    def _register_queues(self) -> None:
        for queue, seconds in ((QUEUE, POLL_SECONDS), (LATER, LATER_POLL_SECONDS)):
            self._client.register_queue(
                queue,
                worker_concurrency=self._at_once,
                partition_concurrency=min(self._at_once, self._at_once_each),
                polling_interval_sec=seconds,
                application_name=NAME,
            )
        self._client.register_queue(
            TAKEN_OVER, worker_concurrency=self._at_once, polling_interval_sec=1.0, application_name=NAME
        )


def _be_patient(connection: Any, _record: object) -> None:
    """Time limits of the role are meant for calls: work that failed by one would be lost."""
    with connection.cursor() as cursor:
        for limit in ("statement_timeout", "lock_timeout"):
            cursor.execute(f"SET {limit} = 0")
    connection.commit()  # the pool would take back what is not committed


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
