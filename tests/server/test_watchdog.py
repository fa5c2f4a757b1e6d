"""Watchdog of the event loop: it reports what blocks the loop, and neither a busy machine nor a suspended process."""

import json
import os
import subprocess
import sys
import time
from signal import SIGCONT, SIGSTOP

import pytest

from glific_gpt.server.watchdog import _Sample, _ThreadTimes

PROGRAM = """
import asyncio, sys, threading, time
from glific_gpt import logging
from glific_gpt.server import watchdog

logging.configure()

def block_by_waiting(secret="hidden-value"):
    threading.Event().wait(1)

def block_by_computing():
    until = time.thread_time() + 0.6
    while time.thread_time() < until:
        pass

def block_in_c():
    until = time.thread_time() + 1.2  # time for which other programs run does not count as blocked
    while time.thread_time() < until:
        sum(range(1_000_000))

def hold_the_lock_elsewhere():
    threading.Thread(target=lambda: sorted(range(2_000_000, 0, -1), key=lambda n: n)).start()
    time.sleep(0.01)

def do_nothing():
    pass

async def main():
    watcher = watchdog.Watchdog()
    await asyncio.sleep(0.2)
    for _ in range(int(sys.argv[2])):
        globals()[sys.argv[1]]()
        await asyncio.sleep(0.2)
    print("ready", flush=True)
    await asyncio.sleep(float(sys.argv[3]))
    watcher.stop()
    print(watchdog.blocked_count())

asyncio.run(main())
"""


def run(function: str, times: int = 1, seconds: float = 0.0) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROGRAM, function, str(times), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603


@pytest.mark.parametrize("function", ["block_by_waiting", "block_by_computing", "block_in_c"])
def test_a_blocked_loop_is_an_error_with_the_names_of_its_functions(function: str) -> None:
    output, errors = run(function).communicate(timeout=60)
    blocked, unblocked = map(json.loads, errors.splitlines())
    assert (blocked["event"], blocked["level"]) == ("event_loop_blocked", "error")
    assert any(frame.startswith("<string>:") and frame.endswith(f" {function}") for frame in blocked["stack"])
    assert unblocked["event"] == "event_loop_unblocked"
    assert unblocked["seconds"] > 0.25
    assert "hidden-value" not in errors
    assert output.split() == ["ready", "1"]


def test_each_time_is_counted() -> None:
    output, _ = run("block_by_waiting", times=3).communicate(timeout=60)
    assert output.split() == ["ready", "3"]


def test_a_suspended_process_does_not_count() -> None:
    program = run("do_nothing", seconds=2.0)
    assert program.stdout
    assert program.stdout.readline() == "ready\n"
    for _ in range(3):
        os.kill(program.pid, SIGSTOP)
        time.sleep(0.5)
        os.kill(program.pid, SIGCONT)
        time.sleep(0.1)
    output, errors = program.communicate(timeout=60)
    assert (output, errors) == ("0\n", "")


@pytest.mark.parametrize(
    ("wall", "loop", "other", "third", "blocked"),
    [
        (0.05, (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), 0.05),  # the loop waits for something
        (0.05, (0.0, 0.0), (0.0, 0.03), (0.0, 0.0), 0.02),  # it waits for a thread that the machine does not run
        (9.0, (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), 0.0),  # the process was suspended
        (9.0, (0.0, 0.0), (8.0, 0.0), (0.0, 0.0), 8.0),  # another thread held Python's lock
        (9.0, (1.0, 8.0), (0.0, 0.0), (0.0, 0.0), 1.0),  # the machine ran other processes
        (0.5, (0.1, 0.0), (0.2, 0.0), (0.2, 0.0), 0.2),  # many threads took turns
    ],
)
def test_only_time_in_which_the_process_kept_the_loop_from_running_counts(
    wall: float,
    loop: tuple[float, float],
    other: tuple[float, float],
    third: tuple[float, float],
    blocked: float,
) -> None:
    start = _Sample(0, {"loop": _ThreadTimes(1, 1), "other": _ThreadTimes(1, 1), "third": _ThreadTimes(1, 1)})
    times = {"loop": loop, "other": other, "third": third}
    threads = {name: _ThreadTimes(1 + running, 1 + queued) for name, (running, queued) in times.items()}
    end = _Sample(wall, threads | {"new": _ThreadTimes(9, 9)})
    assert start.blocked_until(end) == pytest.approx(blocked)
