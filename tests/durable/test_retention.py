"""Retention of workflows in the tables of DBOS."""

import json
from datetime import timedelta

import pytest
import time_machine

from glific_gpt.clock import now
from glific_gpt.durable import WorkflowEngine
from glific_gpt.durable import engine as engines
from tests.durable.conftest import Enqueue, Launch, rows
from tests.support.deferred import wait_until


def stored_ids(database_url: str) -> set[object]:
    """Return the workflow ids in all tables of DBOS."""
    tables = ("workflow_status", "workflow_input", "workflow_output", "operation_outputs")
    return {name for table in tables for (name,) in rows(database_url, table, "workflow_uuid")}


@pytest.fixture
def finished_and_unfinished(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, done: list[str], subject: str
) -> tuple[str, str]:
    """Ids of a finished workflow and of one that stays in the queue."""
    launch()
    enqueue(subject)
    wait_until(lambda: done and not engine.has_unfinished(subject))
    engine.stop(0)
    waiting = f"{subject}-waiting"
    enqueue(waiting)
    return subject, waiting


def test_it_deletes_only_workflows_that_finished_an_hour_ago(
    engine: WorkflowEngine, finished_and_unfinished: tuple[str, str], database_url: str
) -> None:
    finished, waiting = finished_and_unfinished
    with time_machine.travel(now() + timedelta(minutes=59)):
        engine.delete_finished()
    assert {finished, waiting} <= stored_ids(database_url)
    with time_machine.travel(now() + timedelta(minutes=61)):
        engine.delete_finished()
    assert finished not in stored_ids(database_url)
    assert waiting in stored_ids(database_url)
    with time_machine.travel(now() + timedelta(days=30)):
        engine.delete_finished()
    assert engine.has_unfinished(waiting)


def test_it_deletes_more_than_one_batch(
    engine: WorkflowEngine,
    launch: Launch,
    enqueue: Enqueue,
    done: list[str],
    subject: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines, "DELETE_BATCH_SIZE", 2)
    launch()
    enqueue(*(f"{subject}-{number}" for number in range(5)))
    wait_until(lambda: len(done) == 5 and not engine.has_unfinished(subject))
    engine.stop(0)
    with time_machine.travel(now() + timedelta(minutes=61)):
        engine.delete_finished()
    assert not [name for name in stored_ids(database_url) if str(name).startswith(subject)]


def test_it_stores_only_the_subject_and_plain_values(
    finished_and_unfinished: tuple[str, str], database_url: str
) -> None:
    finished, _ = finished_and_unfinished
    (inputs,) = [
        value for name, value in rows(database_url, "workflow_input", "workflow_uuid, inputs") if name == finished
    ]
    assert finished in str(json.loads(str(inputs)))
    outputs = [
        value for name, value in rows(database_url, "operation_outputs", "workflow_uuid, output") if name == finished
    ]
    assert [json.loads(str(output)) for output in outputs] == [None]
