"""Failover: the work of a killed process is repeated once by another one; a living process keeps its work."""

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from threading import Event
from typing import Any

import pytest
from dbos import DBOS

from glific_gpt.durable import WorkflowEngine
from glific_gpt.durable import failover as failover_module
from glific_gpt.durable.dbos_internals import FAILOVER_QUEUE
from glific_gpt.durable.failover import WorkerFailover
from glific_gpt.durable.workflow import register_workflow
from tests.durable.conftest import Enqueue, Launch, Start, cut_connections, lock_connections, rows
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
    """A program that waits in the second step of work from the queue, and holds other work."""
    queued, held = subjects
    program = start_program("work", str(gate), held, until="works")
    enqueue(queued)
    wait_until(lambda: count_lines(f"first {queued}", program))
    return program


def test_two_polling_processes_repeat_the_work_of_a_killed_process_once(
    start_program: Start, first: Program, subjects: tuple[str, str], gate: Path, database_url: str
) -> None:
    """Both the work that it did and the work that it held; finished steps are not repeated."""
    queued, held = subjects
    others = [start_program("work", str(gate), until="works") for _ in range(2)]
    first.send_all(SIGKILL)
    gate.touch()
    wait_until(lambda: all(count_lines(f"third {subject}", *others) for subject in subjects), FAILOVER_SECONDS)
    wait_until(lambda: {(subject, "SUCCESS") for subject in subjects} <= statuses(database_url))
    assert sum(requeued(other) for other in others) == len(subjects)
    assert (count_lines(f"first {queued}", *others), count_lines(f"first {held}", *others)) == (0, 1)
    for subject in subjects:
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
    wait_until(lambda: count_lines(f"third {subjects[0]}", first))
    assert (first.output.count("first"), second.output.count("first")) == (1, 0)
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
    wait_until(lambda: count_lines(f"third {subjects[0]}", first))
    assert second.output.splitlines() == ["works"]


class ScriptedLocks:
    """Locks of processes, of which another one's is held or free as the test says."""

    grace_seconds = 60.0

    def __init__(self, *held: bool | None, is_free: bool = False) -> None:
        """True is held, False is free, and None is a database that cannot be reached. `is_free` is the state later."""
        self._held = list(held)
        self._is_free = is_free
        self.requeued_at: list[int] = []
        """Number of states that were left when the work was requeued."""

    def renew(self) -> None:
        if self._held and self._held[0] is None:
            self._held.pop(0)
            raise ConnectionError

    def is_held(self, _executor: str) -> bool:
        return bool(self._held.pop(0)) if self._held else True

    @contextmanager
    def try_lock(self, _executor: str) -> Iterator[bool]:
        self.requeued_at.append(len(self._held))
        yield self._is_free


@pytest.fixture
def pending_work(
    engine: WorkflowEngine, launch: Launch, enqueue: Enqueue, subject: str, database_url: str
) -> Iterator[WorkflowEngine]:
    """An engine whose process runs a workflow until the end of the test."""
    may_end = Event()
    launch(lambda _subject, context: context.step("wait", lambda: may_end.wait(60)) and None)
    enqueue(subject)
    wait_until(lambda: rows(database_url, "workflow_status", "status") == [("PENDING",)])
    yield engine
    may_end.set()


def test_work_without_a_queue_is_requeued_too(
    engine: WorkflowEngine, launch: Launch, subject: str, database_url: str
) -> None:
    """The release before this one started such work."""
    may_end = Event()
    launch(lambda _subject, context: context.step("wait", lambda: may_end.wait(60)) and None, consumes=False)
    DBOS.start_workflow(register_workflow(), subject, 1)
    locks: Any = ScriptedLocks(False, is_free=True)
    locks.grace_seconds = 0.0
    WorkerFailover(engine._client, locks, "another process", is_consumer=True).poll()
    assert rows(database_url, "workflow_status", "status, queue_name") == [("ENQUEUED", FAILOVER_QUEUE)]
    may_end.set()


def test_the_grace_period_begins_again_when_the_lock_was_held_in_between(
    pending_work: WorkflowEngine, database_url: str
) -> None:
    locks: Any = ScriptedLocks(False, True, False, False)
    failover = WorkerFailover(pending_work._client, locks, "another process", is_consumer=True)
    for _ in range(3):
        failover.poll()  # the first time, the lock is free, so the grace period begins
        time.sleep(0.1)
        locks.grace_seconds = 0.05
    assert locks.requeued_at == []
    failover.poll()
    assert locks.requeued_at == [0]
    # Another process held the lock in that moment, so it is the one that requeues the work.
    assert rows(database_url, "workflow_status", "status") == [("PENDING",)]


def test_a_process_never_requeues_its_own_work(pending_work: WorkflowEngine, database_url: str) -> None:
    ((own_name,),) = rows(database_url, "workflow_status", "executor_id")
    locks: Any = ScriptedLocks(False, False)
    locks.grace_seconds = 0.0
    WorkerFailover(pending_work._client, locks, str(own_name), is_consumer=True).poll()
    assert locks.requeued_at == []


def test_the_grace_period_begins_again_when_the_database_could_not_be_reached(
    pending_work: WorkflowEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failover_module, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(failover_module, "POLL_SECONDS", 0.1)
    locks: Any = ScriptedLocks(False, None, False, False)
    locks.grace_seconds = 0.05
    failover = WorkerFailover(pending_work._client, locks, "another process", is_consumer=True)
    failover.start()
    wait_until(lambda: locks.requeued_at)
    failover.stop()
    assert locks.requeued_at == [0]


def test_only_the_first_of_several_failures_is_logged(
    pending_work: WorkflowEngine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(failover_module, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(failover_module, "POLL_SECONDS", 0.05)
    locks: Any = ScriptedLocks(None, None, None, True, None, None, False)
    locks.grace_seconds = 0.0
    failover = WorkerFailover(pending_work._client, locks, "another process", is_consumer=True)
    failover.start()
    wait_until(lambda: locks.requeued_at)
    failover.stop()
    assert capfd.readouterr().err.count("failover_poll_failed") == 2  # two series


def requeued(program: Program) -> int:
    """Return the number of workflows that the process requeued, according to its log."""
    return sum(int(count) for count in re.findall(r"failover_completed .*count=(\d+)", program.output))


def statuses(database_url: str) -> set[tuple[object, ...]]:
    return set(rows(database_url, "workflow_status", "workflow_uuid, status"))


def executors(database_url: str, subjects: tuple[str, str]) -> set[tuple[object, ...]]:
    """Return the executor of each workflow."""
    found = rows(database_url, "workflow_status", "workflow_uuid, executor_id")
    return {row for row in found if row[0] in subjects}
