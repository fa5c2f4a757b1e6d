"""The work of a process that was killed is done by another, once; that of a living one is left to it."""

import re
import time
import uuid
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from tests.durable.conftest import HandIn, Start, cut_connections, lock_connections, rows
from tests.support.later import wait_until
from tests.support.programs import Program

LONG_ENOUGH = 15
"""Seconds in which the work of a dead process has been taken over, on a busy machine."""


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """The work goes on when this file is there."""
    return tmp_path / "gate"


@pytest.fixture
def subjects() -> tuple[str, str]:
    return f"call_{uuid.uuid4().hex}", f"call_{uuid.uuid4().hex}"


def said(words: str, *programs: Program) -> int:
    return sum(program.output.splitlines().count(words) for program in programs)


def test_it_does_the_work_of_a_killed_process_once_though_two_look(
    start_program: Start, hand_in: HandIn, subjects: tuple[str, str], gate: Path, database_url: str
) -> None:
    """Work from the queue, and work that was begun beside it; what was finished of it is not done again."""
    queued, begun = subjects
    first = start_program("work", str(gate), begun, says="works")
    hand_in(queued)
    wait_until(lambda: said(f"first {queued}", first) and said(f"first {begun}", first))
    others = [start_program("work", str(gate), says="works") for _ in range(2)]
    first.send_all(SIGKILL)
    gate.touch()
    wait_until(lambda: all(said(f"third {subject}", *others) for subject in subjects), LONG_ENOUGH)
    wait_until(lambda: {(subject, "SUCCESS") for subject in subjects} <= statuses(database_url))
    assert sum(taken_over(other) for other in others) == len(subjects)
    for subject in subjects:
        assert said(f"first {subject}", *others) == 0
        assert said(f"third {subject}", first, *others) == 1


def test_it_leaves_the_work_of_a_stopped_process_alone(
    start_program: Start, hand_in: HandIn, subjects: tuple[str, str], gate: Path, database_url: str
) -> None:
    queued, begun = subjects
    first = start_program("work", str(gate), begun, says="works")
    hand_in(queued)
    wait_until(lambda: said(f"first {queued}", first) and said(f"first {begun}", first))
    second = start_program("work", str(gate), says="works")
    first.send_all(SIGSTOP)
    gate.touch()
    with pytest.raises(AssertionError, match="did not come about"):
        wait_until(lambda: second.output.count("third"), seconds=5 if database_url.startswith("sqlite") else 8)
    first.send_all(SIGCONT)
    wait_until(lambda: all(said(f"third {subject}", first) for subject in subjects))
    assert (first.output.count("first"), second.output.count("first")) == (2, 0)
    assert second.output.count("third") == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_leaves_the_work_of_a_process_alone_whose_connections_are_cut_for_a_while(
    start_program: Start, hand_in: HandIn, subjects: tuple[str, str], gate: Path, database_url: str
) -> None:
    queued, begun = subjects
    first = start_program("work", str(gate), begun, says="works")
    hand_in(queued)
    wait_until(lambda: said(f"first {queued}", first) and said(f"first {begun}", first))
    of_first = lock_connections(database_url)
    second = start_program("work", str(gate), says="works")
    before, of_second = executors(database_url, subjects), lock_connections(database_url) - of_first
    for _ in range(9):  # well below the four seconds after which the process would count as dead
        cut_connections(database_url, of_second)
        time.sleep(0.25)
    time.sleep(4)
    assert executors(database_url, subjects) == before
    cut_connections(database_url)
    gate.touch()
    wait_until(lambda: all(said(f"third {subject}", first) for subject in subjects))
    assert second.output.splitlines() == ["works"]


def taken_over(program: Program) -> int:
    """How much work it says that it has taken over."""
    return sum(int(count) for count in re.findall(r"taken_over .*count=(\d+)", program.output))


def statuses(database_url: str) -> set[tuple[object, ...]]:
    return set(rows(database_url, "workflow_status", "workflow_uuid, status"))


def executors(database_url: str, subjects: tuple[str, str]) -> set[tuple[object, ...]]:
    """Who does that work."""
    known = rows(database_url, "workflow_status", "workflow_uuid, executor_id")
    return {row for row in known if row[0] in subjects}
