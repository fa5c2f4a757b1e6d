"""Failover: the work of a killed process is repeated once by another one; a living process keeps its work."""

import re
import time
import uuid
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from tests.durable.conftest import Enqueue, Start, cut_connections, lock_connections, rows
from tests.support.deferred import wait_until
from tests.support.programs import Program

FAILOVER_SECONDS = 15
"""Longest time until the work of a dead process is taken over, on a busy machine."""


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """The second step ends when this file exists."""
    return tmp_path / "gate"


@pytest.fixture
def subjects() -> tuple[str, str]:
    return f"call_{uuid.uuid4().hex}", f"call_{uuid.uuid4().hex}"


def count_lines(line: str, *programs: Program) -> int:
    return sum(program.output.splitlines().count(line) for program in programs)


@pytest.fixture
def first(start_program: Start, enqueue: Enqueue, subjects: tuple[str, str], gate: Path) -> Program:
    """A program that waits in the second step of both: work from the queue, and work that it started directly."""
    queued, started = subjects
    program = start_program("work", str(gate), started, until="works")
    enqueue(queued)
    wait_until(lambda: count_lines(f"first {queued}", program) and count_lines(f"first {started}", program))
    return program


def test_two_polling_processes_repeat_the_work_of_a_killed_process_once(
    start_program: Start, first: Program, subjects: tuple[str, str], gate: Path, database_url: str
) -> None:
    """Both work from the queue and work that was started directly; finished steps are not repeated."""
    others = [start_program("work", str(gate), until="works") for _ in range(2)]
    first.send_all(SIGKILL)
    gate.touch()
    wait_until(lambda: all(count_lines(f"third {subject}", *others) for subject in subjects), FAILOVER_SECONDS)
    wait_until(lambda: {(subject, "SUCCESS") for subject in subjects} <= statuses(database_url))
    assert sum(requeued(other) for other in others) == len(subjects)
    for subject in subjects:
        assert count_lines(f"first {subject}", *others) == 0
        assert count_lines(f"third {subject}", first, *others) == 1


def test_a_suspended_process_keeps_its_work(
    start_program: Start, first: Program, subjects: tuple[str, str], gate: Path, database_url: str
) -> None:
    second = start_program("work", str(gate), until="works")
    first.send_all(SIGSTOP)
    gate.touch()
    with pytest.raises(AssertionError, match="is still false"):
        wait_until(lambda: second.output.count("third"), seconds=5 if database_url.startswith("sqlite") else 8)
    first.send_all(SIGCONT)
    wait_until(lambda: all(count_lines(f"third {subject}", first) for subject in subjects))
    assert (first.output.count("first"), second.output.count("first")) == (2, 0)
    assert second.output.count("third") == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_process_whose_connections_are_cut_for_a_while_keeps_its_work(
    start_program: Start, first: Program, subjects: tuple[str, str], gate: Path, database_url: str
) -> None:
    first_connections = lock_connections(database_url)
    second = start_program("work", str(gate), until="works")
    before, second_connections = executors(database_url, subjects), lock_connections(database_url) - first_connections
    for _ in range(9):  # well below the grace period of four seconds
        cut_connections(database_url, second_connections)
        time.sleep(0.25)
    time.sleep(4)
    assert executors(database_url, subjects) == before
    cut_connections(database_url)
    gate.touch()
    wait_until(lambda: all(count_lines(f"third {subject}", first) for subject in subjects))
    assert second.output.splitlines() == ["works"]


def requeued(program: Program) -> int:
    """Return the number of workflows that the process requeued, according to its log."""
    return sum(int(count) for count in re.findall(r"failover_completed .*count=(\d+)", program.output))


def statuses(database_url: str) -> set[tuple[object, ...]]:
    return set(rows(database_url, "workflow_status", "workflow_uuid, status"))


def executors(database_url: str, subjects: tuple[str, str]) -> set[tuple[object, ...]]:
    """Return the executor of each workflow."""
    found = rows(database_url, "workflow_status", "workflow_uuid, executor_id")
    return {row for row in found if row[0] in subjects}
