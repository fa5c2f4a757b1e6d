"""Programs of the product that are forked from a process which has imported it, in a fifth of the CPU time.

They are processes of their own, with their own session, environment and output. Tests about the start of a program
start it as users do: `programs.start` without `is_forked`.
"""

import atexit
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.support.fork_server import REPORT


class ForkedProcess:
    """A program of the fork server, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, reports: int) -> None:
        self._reports = reports
        self.returncode: int | None = None
        self.pid = self._read()

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the program runs."""
        if self.returncode is None and self._has_ended(0):
            self.returncode = os.waitstatus_to_exitcode(self._read())
            os.close(self._reports)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code. Raises subprocess.TimeoutExpired after these seconds."""
        if self.returncode is None:
            self._has_ended(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _has_ended(self, timeout: float | None) -> bool:
        readable, _, _ = select.select([self._reports], [], [], timeout)
        return bool(readable)

    def _read(self) -> int:
        report = os.read(self._reports, REPORT.size)
        assert report, "The fork server has ended. Its error is in the output of this test run."
        number: int = REPORT.unpack(report)[0]
        return number


def fork(arguments: Sequence[str], environ: dict[str, str], folder: Path, output: int, errors: int) -> ForkedProcess:
    """Run `python -m` with these arguments, this environment and these descriptors, in this folder."""
    reports, report = os.pipe()
    try:
        message = {"arguments": list(arguments), "environ": environ, "folder": str(folder)}
        with Path(os.devnull).open() as nothing:
            descriptors = [nothing.fileno(), output, errors, report]
            socket.send_fds(_fork_server(), [json.dumps(message).encode()], descriptors)
    finally:
        os.close(report)
    return ForkedProcess(reports)


@contextmanager
def fork_server_of(tree: Path) -> Iterator[socket.socket]:
    """Start a fork server with the code in this folder, for `tests/support/fork_client.py`. Yields its socket."""
    control, process = _start_fork_server(tree)
    try:
        yield control
    finally:
        _end(control, process)


@cache
def _fork_server() -> socket.socket:
    """Start the fork server of this test process, which ends with it."""
    control, process = _start_fork_server(Path(__file__).parents[2])
    atexit.register(_end, control, process)
    return control


def _start_fork_server(tree: Path) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - the command is a constant of the tests
            (sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())),
            cwd=tree,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    return ours, process


def _end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    control.close()
    process.wait()
