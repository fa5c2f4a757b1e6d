"""The workflow engine: work is enqueued or held in a transaction, and runs once."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy as sa
from dbos import DBOS
from sqlalchemy.orm import Session

from glific_gpt.database.connection_shares import share_out
from glific_gpt.durable import Handler, WorkflowContext, WorkflowEngine
from glific_gpt.durable.dbos_configuration import POLL_SECONDS
from glific_gpt.durable.locks import FileLocks
from glific_gpt.durable.workflow import WORKING_SLOTS
from tests.durable.conftest import Enqueue, Hold, Launch, lock_connections, rows
from tests.support.deferred import wait_until


def test_it_runs_work_that_was_enqueued_before_and_after_its_launch(
    launch: Launch, enqueue: Enqueue, done: list[str], subject: str
) -> None:
    enqueue(subject)
    launch()
    enqueue(f"{subject}-2")
    wait_until(lambda: sorted(done) == [subject, f"{subject}-2"])


def test_it_does_not_run_work_whose_transaction_was_rolled_back(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, done: list[str], subject: str, database_url: str
) -> None:
    launch()
    database = sa.create_engine(database_url)
    with Session(database) as session:
        engine.enqueue(session, f"{subject}-lost", f"{subject}-lost", 1)
        session.rollback()
    database.dispose()
    enqueue(subject)
    wait_until(lambda: done)
    assert done == [subject]
    assert not engine.has_unfinished(f"{subject}-lost")


def test_it_runs_work_with_the_same_id_once(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, done: list[str], subject: str
) -> None:
    enqueue(subject, subject)
    launch()
    wait_until(lambda: done)
    enqueue(subject, f"{subject}-2")
    wait_until(lambda: f"{subject}-2" in done)
    assert done == [subject, f"{subject}-2"]


def test_work_that_is_enqueued_together_has_the_same_rows_as_single_work(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, done: list[str], subject: str, database_url: str
) -> None:
    enqueue(f"{subject}-1")
    database = sa.create_engine(database_url)
    with Session(database) as session, session.begin():
        engine.enqueue_all(session, [(f"{subject}-2", 1), (f"{subject}-3", 1), (f"{subject}-3", 1)])
    database.dispose()
    columns = ("status", "name", "queue_name", "queue_partition_key", "application_version", "application_name")
    for column in (*columns, "serialization", "priority", "recovery_attempts", "executor_id", "class_name"):
        assert len(set(rows(database_url, "workflow_status", column))) == 1, column
    inputs = [json.loads(str(each)) for (each,) in rows(database_url, "workflow_input", "inputs")]
    assert sorted(each["positionalArgs"] for each in inputs) == [[f"{subject}-{number}", 1] for number in (1, 2, 3)]
    launch()
    wait_until(lambda: len(done) == 3)
    assert sorted(done) == [f"{subject}-{number}" for number in (1, 2, 3)]


def test_work_that_a_stopped_engine_left_behind_takes_no_slot_of_the_next_launch(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, done: list[str], subject: str
) -> None:
    begun: list[str] = []
    is_released = Event()

    def wait_for_release(subject: str, context: WorkflowContext) -> None:
        begun.append(subject)
        is_released.wait()

    enqueue(*(f"{subject}-{number}" for number in range(WORKING_SLOTS)))
    launch(wait_for_release)
    wait_until(lambda: len(begun) == WORKING_SLOTS)
    engine.stop(0)
    launch()
    enqueue(subject)
    wait_until(lambda: subject in done)
    is_released.set()


def test_held_work_starts_when_it_is_released(
    engine: WorkflowEngine, launch: Launch, hold: Hold, done: list[str], subject: str
) -> None:
    launch()
    assert hold(subject)
    assert hold(f"{subject}-2")
    time.sleep(4 * POLL_SECONDS)
    assert done == []
    engine.release(subject)
    wait_until(lambda: done)
    assert done == [subject]
    assert engine.has_unfinished(f"{subject}-2")


def test_held_work_that_is_not_released_starts_after_its_time(
    launch: Launch, hold: Hold, done: list[str], subject: str
) -> None:
    launch()
    hold(subject, seconds=0.5)
    wait_until(lambda: done == [subject])


def test_a_process_that_runs_no_work_holds_none(
    engine: WorkflowEngine, launch: Launch, hold: Hold, done: list[str], subject: str
) -> None:
    assert not hold(subject)
    launch()
    wait_until(lambda: done == [subject])
    engine.stop(0)
    assert not hold(f"{subject}-2")


def test_work_that_another_process_has_taken_over_is_not_started_again_when_it_is_released(
    engine: WorkflowEngine, launch: Launch, hold: Hold, subject: str, database_url: str
) -> None:
    runs, may_end = [], Event()

    def wait(_subject: str, context: WorkflowContext) -> None:
        runs.append(_subject)
        context.step("wait", lambda: may_end.wait(60))

    launch(wait)
    hold(subject, seconds=0)
    wait_until(lambda: runs)
    engine.release(subject)
    assert rows(database_url, "workflow_status", "status") == [("PENDING",)]
    may_end.set()
    wait_until(lambda: not engine.has_unfinished(subject))
    assert runs == [subject]


def test_it_reports_unfinished_work(engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, subject: str) -> None:
    may_continue = Event()
    assert not engine.has_unfinished(subject)
    enqueue(subject)
    assert engine.has_unfinished(subject)

    def wait(_subject: str, context: WorkflowContext) -> None:
        context.step("wait", lambda: may_continue.wait(10))

    launch(wait)
    assert engine.has_unfinished(subject)
    may_continue.set()
    wait_until(lambda: not engine.has_unfinished(subject))


@contextmanager
def small_engine(database_url: str) -> Iterator[WorkflowEngine]:
    """An engine that runs two workflows at the same time, and one of each partition."""
    engine = WorkflowEngine(sa.make_url(database_url), share_out(20), max_concurrent=2, max_concurrent_per_partition=1)
    yield engine
    engine.close()


def test_running_work_is_limited_for_each_partition(database_url: str, done: list[str], subject: str) -> None:
    may_continue = Event()

    def wait_in_first_partition(name: str, context: WorkflowContext) -> None:
        if name.startswith(f"{subject}-1"):
            context.step("wait", lambda: may_continue.wait(60))
        context.step("append", lambda: done.append(name))

    database = sa.create_engine(database_url)
    with small_engine(database_url) as engine:
        for name, partition in ((f"{subject}-1a", 1), (f"{subject}-1b", 1), (f"{subject}-2", 2)):
            with Session(database) as session, session.begin():
                engine.enqueue(session, name, name, partition)
        engine.launch(wait_in_first_partition, consumes=True)
        wait_until(lambda: done == [f"{subject}-2"])  # it would wait if both workflows of the first partition ran
        may_continue.set()
        wait_until(lambda: len(done) == 3)
    database.dispose()


def test_each_launch_has_a_name_of_its_own(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, subject: str, database_url: str
) -> None:
    for number in range(2):
        launch()
        enqueue(f"{subject}-{number}")
        wait_until(lambda: not engine.has_unfinished(subject))
        engine.stop(0)
    assert len(set(rows(database_url, "workflow_status", "executor_id"))) == 2


def test_a_launch_that_failed_leaves_no_lock_and_can_be_repeated(
    launch: Launch, enqueue: Enqueue, done: list[str], subject: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_launch() -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(DBOS, "launch", fail_to_launch)
        with pytest.raises(ConnectionError):
            launch()
    wait_until(lambda: not held_locks(database_url))
    launch()
    assert len(held_locks(database_url)) == 1
    enqueue(subject)
    wait_until(lambda: done == [subject])


def held_locks(database_url: str) -> set[object]:
    """Return the held locks of processes: names on SQLite, connections on PostgreSQL."""
    if not database_url.startswith("sqlite"):
        return set(lock_connections(database_url))
    folder = Path(database_url.removeprefix("sqlite:///") + ".work")
    names = [path.name for path in folder.iterdir() if path.name != "queue"]
    return {name for name in names if FileLocks(folder).is_held(name)}


def fail_in_a_step(subject: str, context: WorkflowContext) -> None:
    context.step("fail", lambda: fail(subject, context))


def fail(_subject: str, _context: WorkflowContext) -> None:
    raise ValueError("Asha Devi asked about malaria")


@pytest.mark.parametrize("handler", [fail, fail_in_a_step])
def test_it_stores_only_the_class_name_of_a_failure(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, subject: str, database_url: str, handler: Handler
) -> None:
    launch(handler)
    enqueue(subject)
    wait_until(lambda: not engine.has_unfinished(subject))
    tables = ("workflow_status", "workflow_input", "workflow_output", "operation_outputs")
    stored = str([rows(database_url, table) for table in tables])
    assert "Asha" not in stored
    assert "malaria" not in stored
    assert "ValueError" in stored
    assert "ValueError" in str(rows(database_url, "workflow_output"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_ignores_the_time_limits_of_the_database_role(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, done: list[str], subject: str, database_url: str
) -> None:
    """Administrators set the limits on the role if a pooler does not allow them in the connection (PgBouncer)."""
    limits = ("statement_timeout", "lock_timeout")
    alter = f"ALTER DATABASE {sa.make_url(database_url).database}"
    database = sa.create_engine(database_url, isolation_level="AUTOCOMMIT")
    with database.connect() as connection:
        connection.execute(sa.text("; ".join(f"{alter} SET {limit} = '200ms'" for limit in limits)))
        try:
            launch()
            enqueue(subject)
            connection.execute(sa.text("BEGIN; LOCK TABLE dbos.operation_outputs IN EXCLUSIVE MODE"))
            wait_until(lambda: done)
            time.sleep(1)
            connection.execute(sa.text("COMMIT"))
            wait_until(lambda: not engine.has_unfinished(subject))
        finally:
            connection.execute(sa.text("; ".join(f"{alter} RESET {limit}" for limit in limits)))
    database.dispose()
    assert rows(database_url, "workflow_status", "status") == [("SUCCESS",)]
