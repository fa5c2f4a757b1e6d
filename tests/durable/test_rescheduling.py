"""Rescheduled work runs again after its delay, and takes no slot of a queue until then."""

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from glific_gpt.database.connection_shares import share_out
from glific_gpt.durable import WorkflowContext, WorkflowEngine
from glific_gpt.durable.workflow import next_workflow_id
from tests.durable.conftest import Enqueue, Launch
from tests.support.deferred import wait_until


@pytest.fixture
def engine(database_url: str) -> Iterator[WorkflowEngine]:
    """An engine with one slot."""
    engine = WorkflowEngine(sa.make_url(database_url), share_out(20), max_concurrent=1, max_concurrent_per_partition=1)
    yield engine
    engine.close()


def test_it_runs_again_after_its_delay(engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, subject: str) -> None:
    called: list[float] = []

    def reschedule_once(_subject: str, context: WorkflowContext) -> float | None:
        context.step("call", lambda: called.append(time.monotonic()))
        return 2.5 if len(called) < 2 else None

    launch(reschedule_once)
    enqueue(subject)
    wait_until(lambda: len(called) == 2)
    wait_until(lambda: not engine.has_unfinished(subject))
    first, second = called
    assert second - first > 2.4  # the queue is polled once a second or more often


def test_it_counts_as_unfinished_and_takes_no_slot(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, done: list[str], subject: str
) -> None:
    def reschedule(name: str, context: WorkflowContext) -> float | None:
        context.step("append", lambda: done.append(name))
        return 60.0 if name == subject else None

    launch(reschedule)
    enqueue(subject)
    wait_until(lambda: done)
    enqueue(f"{subject}-2")
    wait_until(lambda: done == [subject, f"{subject}-2"])
    assert engine.has_unfinished(subject)
    assert f"{subject}~1" in engine.list_unfinished()


@pytest.mark.parametrize(
    ("workflow_id", "next_id"), [("call_1", "call_1~1"), ("call_1~9", "call_1~10"), ("a.2.b~1", "a.2.b~2")]
)
def test_its_id_is_derived_from_the_id_of_the_work_that_it_continues(workflow_id: str, next_id: str) -> None:
    assert next_workflow_id(workflow_id) == next_id
