"""What the engine remembers of work: little, and not for long."""

import json
from datetime import timedelta

import pytest
import time_machine

from glific_gpt.clock import now
from glific_gpt.durable import Engine
from tests.durable.conftest import HandIn, Launch, rows
from tests.support.later import wait_until


def remembered(database_url: str) -> set[object]:
    """The names of all the work that the engine knows of, in each of the tables in which it keeps any."""
    tables = ("workflow_status", "workflow_input", "workflow_output", "operation_outputs")
    return {name for table in tables for (name,) in rows(database_url, table, "workflow_uuid")}


@pytest.fixture
def finished_and_unfinished(
    engine: Engine, launch: Launch, hand_in: HandIn, done: list[str], subject: str
) -> tuple[str, str]:
    """Work that is done, with its steps, and work that nobody does any more."""
    launch()
    hand_in(subject)
    wait_until(lambda: done and not engine.is_at_work(subject))
    engine.stop(0)
    waiting = f"{subject}-waiting"
    hand_in(waiting)
    return subject, waiting


def test_it_forgets_what_was_finished_an_hour_ago_and_nothing_else(
    engine: Engine, finished_and_unfinished: tuple[str, str], database_url: str
) -> None:
    finished, waiting = finished_and_unfinished
    with time_machine.travel(now() + timedelta(minutes=59)):
        engine.forget_finished()
    assert {finished, waiting} <= remembered(database_url)
    with time_machine.travel(now() + timedelta(minutes=61)):
        engine.forget_finished()
        engine.forget_finished()
    assert finished not in remembered(database_url)
    assert waiting in remembered(database_url)
    with time_machine.travel(now() + timedelta(days=30)):
        engine.forget_finished()
    assert engine.is_at_work(waiting)


def test_it_keeps_of_work_its_subject_and_plain_values_alone(
    finished_and_unfinished: tuple[str, str], database_url: str
) -> None:
    finished, _ = finished_and_unfinished
    (inputs,) = [
        held for name, held in rows(database_url, "workflow_input", "workflow_uuid, inputs") if name == finished
    ]
    assert finished in str(json.loads(str(inputs)))
    found = [
        held for name, held in rows(database_url, "operation_outputs", "workflow_uuid, output") if name == finished
    ]
    assert [json.loads(str(output)) for output in found] == [None]
