"""A server process ends in time after a stop signal, although its worker does not."""

import sys
from pathlib import Path

from tests.support.programs import start

SHUTDOWN_PROGRAM = """
import signal, sys, time
from glific_gpt.server import serving_process

def end_worker():
    time.sleep(float(sys.argv[2]))
    print("worker ended", flush=True)

serving_process.FORCED_EXIT_SECONDS = float(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: print("uvicorn stops", flush=True))
shutdown = serving_process._Shutdown(end_worker)
shutdown.wait()  # returns immediately, because no signal has arrived
shutdown.watch_signals()
for _ in range(int(sys.argv[3])):
    signal.raise_signal(signal.SIGTERM)
shutdown.wait()
print("shutdown ended", flush=True)
"""
"""Arguments: seconds until the forced exit, seconds that the worker takes to end, number of stop signals."""


def output_of_shutdown(folder: Path, *arguments: float) -> list[str]:
    with start((sys.executable, "-c", SHUTDOWN_PROGRAM, *map(str, arguments)), folder) as program:
        assert program.wait_for_exit() == 0, program.errors
        return program.output.splitlines()


def test_it_waits_for_the_worker_once_for_several_signals(tmp_path: Path) -> None:
    expected = ["uvicorn stops", "uvicorn stops", "worker ended", "shutdown ended"]
    assert output_of_shutdown(tmp_path, 300, 0.5, 2) == expected


def test_it_exits_although_the_worker_does_not_end(tmp_path: Path) -> None:
    assert output_of_shutdown(tmp_path, 0.5, 300, 1) == ["uvicorn stops"]
