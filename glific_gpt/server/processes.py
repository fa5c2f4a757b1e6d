"""Several server processes: they are started, replaced when they fail, and stopped."""

import os
import signal
import time
from multiprocessing import resource_tracker
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

HEALTHCHECK_TIMEOUT_SECONDS = 5
"""Silence after which a serving process is considered dead: the time that Glific waits for a response."""

START_TIMEOUT_SECONDS = 60
"""How long a process may take to start, on a busy machine too."""

REPLACEMENT_TIMEOUT_SECONDS = 180
"""How long a process may take to start that replaces a serving one, which serves meanwhile."""

IS_REPLACEMENT = "_GLIFIC_GPT_IS_REPLACEMENT"
"""Environment variable of processes that replace an earlier one."""

IS_LATER = "_GLIFIC_GPT_IS_LATER"
"""Environment variable of all processes but the first, which reports what concerns the whole server."""

LISTEN_FAILURE = 4
"""Exit status of a process that cannot listen. uvicorn's own STARTUP_FAILURE is 3."""

INTERRUPT = (signal.SIGINT,)

log = structlog.get_logger()


class ProcessSupervisor(Multiprocess):
    """Keeps SIGINT blocked, except while it handles signals.

    A process inherits the mask from the supervisor. Without it, Python prints a traceback for a Ctrl-C that arrives
    before the process can handle it.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.cannot_listen = False
        """True if the supervisor has ended because another server holds the address."""
        self._starts: WeakKeyDictionary[Process, _Start] = WeakKeyDictionary()

    def run(self) -> None:
        resource_tracker.ensure_running()  # first, because it unblocks SIGINT when it starts
        signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPT)
        super().run()

    def handle_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPT)  # delivers a blocked signal
        signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPT)
        super().handle_signals()

    def init_processes(self) -> None:
        """Start the first processes. If one of them fails, the server stops.

        A later process that fails is started again until it succeeds, because the others still serve.
        """
        for _ in range(self.processes_num):
            process = Process(self.config, self.sockets)
            process.start()
            self.processes.append(process)
            # Processes that are started later inherit the variable.
            os.environ[IS_LATER] = "1"
        os.environ[IS_REPLACEMENT] = "1"

    def keep_subprocess_alive(self) -> None:
        """Replace processes that have ended or do not answer, except those that are still starting.

        uvicorn gives a new process only the time that a serving one may be silent. On a busy machine that is too
        short: every replacement would be killed before it serves. If a process cannot be replaced, for example without
        file descriptors, uvicorn would end, and the other processes with it. It is tried again half a second later.
        If a process cannot listen, none can, because they share the socket: the supervisor ends.
        """
        if any(process.exitcode == LISTEN_FAILURE for process in self.processes):
            self.cannot_listen = True
            self.should_exit.set()
            return
        starting = [process for process in self.processes if self._is_starting(process)]
        self.processes = [process for process in self.processes if process not in starting]
        try:
            super().keep_subprocess_alive()
        except OSError as failure:
            log.exception("process_start_failed", reason=type(failure).__name__)
        finally:
            self.processes += starting

    def restart_all(self) -> None:
        """Replace the processes one by one, with the time-out for their start. With uvicorn's, the old ones stay."""
        serving_timeout = self.config.timeout_worker_healthcheck
        self.config.timeout_worker_healthcheck = REPLACEMENT_TIMEOUT_SECONDS
        try:
            super().restart_all()
        except OSError as failure:  # the old processes still serve
            log.exception("process_start_failed", reason=type(failure).__name__)
        finally:
            self.config.timeout_worker_healthcheck = serving_timeout

    def _is_starting(self, process: Process) -> bool:
        return self._starts.setdefault(process, _Start()).is_running(process)


class _Start:
    """The start of a process. It ends when the process serves or exits, or after START_TIMEOUT_SECONDS."""

    def __init__(self) -> None:
        self._until = time.monotonic() + START_TIMEOUT_SECONDS

    def is_running(self, process: Process) -> bool:
        if time.monotonic() < self._until and process.process.is_alive() and not _is_serving(process):
            return True
        self._until = 0.0
        return False


def _is_serving(process: Process) -> bool:
    """Ask the process without waiting for its reply, which is read the next time.

    When it serves, no reply is left: the health check would take it for the reply of a process that is stuck.
    """
    is_serving = False
    while process.parent_conn.poll():
        is_serving = process.parent_conn.recv()
    if not is_serving:
        process.parent_conn.send(b"ping")
    return is_serving
