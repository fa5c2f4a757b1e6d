"""A server without free file descriptors: the log says so, open connections are served, and it recovers."""

import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, islice
from pathlib import Path

from tests.support.platforms import requires_linux
from tests.support.programs import TIMEOUT_SECONDS, WORKER, Program, list_server_processes, start
from tests.support.serving import ServerProcesses, run_server_processes, to_environment
from tests.support.settings import ENCRYPTION_KEY

pytestmark = requires_linux

REQUEST = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
CONNECTIONS = 100
SPARE_FILES = 10
HEAD_START_SECONDS = 3
"""The worker of a server opens its files in this time after the start."""


def ask(wire: socket.socket) -> bytes:
    wire.sendall(REQUEST)
    reply = b""
    while part := wire.recv(4096):
        reply += part
        if reply.endswith(b"}\n"):
            break
    return reply


@contextmanager
def few_files(pid: int, spare: int) -> Iterator[None]:
    """Let a process open only a few more files."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    open_files = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
    unused = (number for number in count() if number not in open_files)
    limit = next(islice(unused, spare, None))  # the limit is one of the numbers, not of their count
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def cpu_seconds(pid: int) -> float:
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


def is_answered(server: ServerProcesses) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_SECONDS) as wire:
            return ask(wire).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def test_a_server_that_cannot_accept_connections_logs_it_and_recovers(tmp_path: Path, database_url: str) -> None:
    with run_server_processes(tmp_path, is_forked=True, database_url=database_url) as server:
        pid, address = server.program.process.pid, ("127.0.0.1", server.port)
        time.sleep(HEAD_START_SECONDS)
        with ExitStack() as stack, few_files(pid, SPARE_FILES):
            first = stack.enter_context(socket.create_connection(address, TIMEOUT_SECONDS))
            assert ask(first).startswith(b"HTTP/1.1 200 ")
            for _ in range(CONNECTIONS):
                stack.enter_context(socket.create_connection(address, TIMEOUT_SECONDS))
            wait_until(lambda: "file_descriptors_exhausted" in server.program.errors)
            used = cpu_seconds(pid)
            time.sleep(2)
            assert cpu_seconds(pid) - used < 1
            assert ask(first).startswith(b"HTTP/1.1 200 ")
        wait_until(lambda: is_answered(server))
        wait_until(lambda: "file_descriptors_recovered" in server.program.errors)


def test_a_supervisor_that_cannot_start_a_process_keeps_the_others(tmp_path: Path, database_url: str) -> None:
    with run_server_processes(tmp_path, is_forked=True, database_url=database_url, processes=2) as server:
        wait_until(lambda: len(list_server_processes(server.program)) == 2)
        with few_files(server.program.process.pid, 0):
            wait_until(lambda: "file_descriptors_exhausted" in server.program.errors)
            os.kill(list_server_processes(server.program)[0], signal.SIGKILL)
            wait_until(lambda: "process_start_failed" in server.program.errors)
            assert is_answered(server)
        wait_until(lambda: len(list_server_processes(server.program)) == 2)
        assert is_answered(server)


def test_a_worker_logs_that_it_has_no_files(tmp_path: Path, database_url: str) -> None:
    settings = {"database_url": database_url, "secret_key": "made-up-for-a-test", "encryption_keys": ENCRYPTION_KEY}
    with start(WORKER, tmp_path, to_environment(**settings), is_forked=True) as worker:
        wait_until(lambda: "Working on deferred calls" in worker.errors)
        with few_files(worker.process.pid, 0):
            wait_until(lambda: "file_descriptors_exhausted" in worker.errors)
        wait_until(lambda: "file_descriptors_recovered" in worker.errors)
        require_alive(worker)


def require_alive(program: Program) -> None:
    assert program.process.poll() is None, program.errors
