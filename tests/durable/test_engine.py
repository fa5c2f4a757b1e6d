"""The workflow engine: work is enqueued in a transaction and runs once, from a queue or started directly."""

import time
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from glific_gpt.durable import Handler, WorkflowContext, WorkflowEngine
from glific_gpt.durable.engine import POLL_SECONDS
from tests.durable.conftest import Enqueue, Launch, rows
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
    assert engine.start_workflow(subject, subject, 1)
    wait_until(lambda: f"{subject}-2" in done)
    assert done == [subject, f"{subject}-2"]


def test_it_starts_work_directly_only_in_a_launched_process(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, done: list[str], subject: str
) -> None:
    assert not engine.start_workflow(subject, subject, 1)
    launch(consumes=False)
    enqueue(f"{subject}-queued")
    assert engine.start_workflow(subject, subject, 1)
    wait_until(lambda: done)
    time.sleep(4 * POLL_SECONDS)
    assert done == [subject]
    assert engine.has_unfinished(f"{subject}-queued")
    engine.stop(0)
    assert not engine.start_workflow(f"{subject}-2", subject, 1)


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
