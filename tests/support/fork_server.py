"""A process that has imported the product, and forks programs of it: `python -m tests.support.fork_server SOCKET`.

SOCKET is the descriptor of a Unix socket. Each message on it starts a program: JSON with the arguments of `python -m`,
the environment and the folder, and four descriptors, for the input, output, errors and reports. A report is a number:
first the id of the process, and when it has ended, its wait status. All end with the socket.

A forked server forks its processes too, instead of starting them, so that these need not import the product either.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from multiprocessing.context import ForkProcess
from types import SimpleNamespace
from typing import Any

import uvicorn._subprocess
from uvicorn.supervisors.multiprocess import SIGNALS

REPORT = struct.Struct("i")
MAX_MESSAGE_BYTES = 1 << 17
PRELOADED = (
    "glific_gpt.accounts.first_administrator",
    "glific_gpt.app",
    "glific_gpt.cli",
    "glific_gpt.functions.filesearch_gpt",
    "glific_gpt.functions.parse_via_gpt_vision",
    "glific_gpt.openai.gateway",
    "glific_gpt.runtime.large_blocks",
    "glific_gpt.server.asgi",
    "glific_gpt.server.supervisor",
    "glific_gpt.server.warm_up",
    "argon2",
    "dbos",
    "flask.cli",
    "flask_migrate.cli",
    "genai_prices.data",
    "passlib.handlers.argon2",
    "passlib.handlers.sha2_crypt",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "uvicorn.loops.auto",
)


class ForkedServerProcess(ForkProcess):
    """A process of a forked server, with the signal handlers of a started one."""

    def run(self) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        super().run()


def main() -> None:
    gc.disable()  # until the programs run
    for name in PRELOADED:
        import_module(name)
    # Otherwise each program would scan the modules, and copy the memory that it shares with this process by that.
    gc.freeze()
    assert threading.active_count() == 1, "A fork would lose the other threads."
    arguments = _fork_until_closed(socket.socket(fileno=int(sys.argv[1])))
    if arguments:
        uvicorn._subprocess.spawn = SimpleNamespace(Process=ForkedServerProcess)  # type: ignore[assignment]
        sys.argv = arguments
        gc.enable()
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def _fork_until_closed(control: socket.socket) -> list[str] | None:
    """Return the arguments of a program in its own process, and None in this one."""
    reports: dict[int, tuple[int, int]] = {}  # by the descriptor of a running process: its id and its reports
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready in reports:
                poll.unregister(ready)
                _report_end(ready, *reports.pop(ready))
                continue
            message, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE_BYTES, 4)
            if not message:
                _kill(process for process, _ in reports.values())
                return None
            if (process := os.fork()) == 0:
                control.detach()
                return _become_program(json.loads(message), descriptors)
            for descriptor in descriptors[:3]:
                os.close(descriptor)
            running = os.pidfd_open(process)
            reports[running] = (process, descriptors[3])
            poll.register(running, select.POLLIN)


def _kill(processes: Iterable[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)


def _report_end(running: int, process: int, report: int) -> None:
    _, status = os.waitpid(process, 0)
    try:
        os.write(report, REPORT.pack(status))
    except BrokenPipeError:  # nobody waits for the program
        pass
    finally:
        os.close(report)
        os.close(running)


def _become_program(message: dict[str, Any], descriptors: list[int]) -> list[str]:
    """Take over the session, output, environment and folder that a new process would have."""
    os.setsid()
    *standard, report = descriptors
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
    os.write(report, REPORT.pack(os.getpid()))
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(message["environ"])
    os.chdir(message["folder"])
    arguments: list[str] = message["arguments"]
    return arguments


if __name__ == "__main__":
    main()
