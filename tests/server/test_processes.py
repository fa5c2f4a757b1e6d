"""A process has more time to start than to answer the supervisor's health checks; a stuck process is replaced."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

from tests.support.deferred import wait_until
from tests.support.programs import Program, start
from tests.support.supervised_program import HEALTHCHECK_TIMEOUT_SECONDS

SILENCE_SECONDS = 5 * HEALTHCHECK_TIMEOUT_SECONDS
"""Longer than the supervisor needs to notice, and kill, a process that does not answer a health check."""


@contextmanager
def supervisor(folder: Path, start_timeout: float) -> Iterator[Program]:
    command = (sys.executable, "-m", "tests.support.supervised_program", str(folder), str(start_timeout))
    with start(command, folder) as program:
        yield program


def wait_for_process(program: Program, event: str) -> int:
    """Return the id of the process of the last event, when there is one."""
    wait_until(lambda: list_processes(program, event))
    return list_processes(program, event)[-1]


def list_processes(program: Program, event: str) -> list[int]:
    """Return the ids of all processes with this event."""
    lines = [line.rpartition(" ") for line in program.output.splitlines()]
    return [int(pid) for name, _, pid in lines if name == event]


def test_a_process_that_starts_may_be_silent_for_longer_than_one_that_serves(tmp_path: Path) -> None:
    with supervisor(tmp_path, start_timeout=300) as program:
        pid = wait_for_process(program, "starts")
        time.sleep(SILENCE_SECONDS)
        (tmp_path / "may_start").touch()
        assert wait_for_process(program, "loads") == pid
        os.kill(pid, SIGSTOP)
        time.sleep(SILENCE_SECONDS)
        os.kill(pid, SIGCONT)
        (tmp_path / "may_load").touch()
        wait_until(lambda: pid in list_processes(program, "has started"))
        assert list_processes(program, "has started")[0] == pid


def test_a_process_that_serves_is_replaced_when_it_is_stuck(tmp_path: Path) -> None:
    (tmp_path / "may_start").touch()
    (tmp_path / "may_load").touch()
    with supervisor(tmp_path, start_timeout=300) as program:
        pid = wait_for_process(program, "has started")
        (tmp_path / "may_load").unlink()
        os.kill(pid, SIGSTOP)
        wait_until(lambda: wait_for_process(program, "starts") != pid)


def test_a_process_that_never_starts_is_replaced(tmp_path: Path) -> None:
    with supervisor(tmp_path, start_timeout=1) as program:
        first = wait_for_process(program, "starts")
        wait_until(lambda: wait_for_process(program, "starts") != first)


def test_a_process_that_dies_during_its_start_is_replaced(tmp_path: Path) -> None:
    with supervisor(tmp_path, start_timeout=300) as program:
        first = wait_for_process(program, "starts")
        os.kill(first, SIGKILL)
        wait_until(lambda: wait_for_process(program, "starts") != first)
