"""Programs of this project as processes of their own, which never outlive the test that started them."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIG_DFL, SIG_IGN, SIGINT, SIGKILL, Signals, getsignal, signal

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 40
"""Seconds that a test waits for a program to start or to end, on a busy machine."""

SERVER = (sys.executable, "-m", "glific_gpt.server")
REMOVED_PREFIXES = ("GLIFIC_GPT_", "OPENAI_", "FLASK_", "MAKE", "MFLAGS", "PORT", "PYTHONPATH")
"""What variables begin with that would steer a program of ours."""


@dataclass
class Program:
    """A process with all its children, and what they have written so far."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text(errors="replace")

    @property
    def errors(self) -> str:
        return (self.folder / "errors").read_text(errors="replace")

    def wait_for_exit(self) -> int:
        """Its exit code, when it ends by itself."""
        return self.process.wait(TIMEOUT_SECONDS)

    def send(self, number: Signals) -> None:
        """To the process that was started alone."""
        self.process.send_signal(number)

    def send_all(self, number: Signals) -> None:
        """To its children too, as Ctrl-C in a terminal does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@contextmanager
def start(
    command: Sequence[str], folder: Path, environ: dict[str, str] | None = None, cwd: Path = ROOT
) -> Iterator[Program]:
    """The running program, with these variables and none else of ours; `folder` takes what it writes."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "output").open("wb") as output,
        (folder / "errors").open("wb") as errors,
        default_interrupt_handler(),
    ):
        process = subprocess.Popen(  # noqa: S603 - a program of ours
            command,
            cwd=cwd,
            env=clean_environment() | (environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    program = Program(process, folder)
    try:
        yield program
    finally:
        program.send_all(SIGKILL)
        process.wait()


@contextmanager
def default_interrupt_handler() -> Iterator[None]:
    """SIGINT as in a terminal, for a program that is started inside; only the main thread may change it.

    A shell ignores it for what it runs in the background, such as these tests, and a program inherits that.
    """
    before = getsignal(SIGINT)
    if before == SIG_IGN:
        signal(SIGINT, SIG_DFL)
    try:
        yield
    finally:
        signal(SIGINT, before)


def list_server_processes(program: Program) -> list[int]:
    """The serving processes of a server of several: of its children, those that multiprocessing has begun."""
    main = program.process.pid
    found = []
    for child in Path(f"/proc/{main}/task/{main}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(REMOVED_PREFIXES)}


def copy_project(folder: Path) -> Path:
    """A fresh copy of the project in that folder, with what is installed here and nothing that was ever run."""
    copied = folder / "project"
    # Not by way of git: the tests also pass where somebody has unpacked an archive.
    left_out = shutil.ignore_patterns(".*", "instance", "__pycache__", "build", "node_modules")
    shutil.copytree(ROOT, copied, ignore=left_out)
    (copied / ".venv").symlink_to(sys.prefix)
    return copied


def make_command(target: str) -> tuple[str, ...]:
    """The command, for a clone, in which there is nothing to install."""
    return ("make", "-o", ".venv/.installed", target)


def free_port() -> int:
    """Return a free port below 32768, where the ports of outgoing connections begin."""
    while True:
        # Not `random`, which pytest-randomly seeds alike in all processes of a test run.
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until_free(port: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_free(port):
            return True
        time.sleep(0.05)
    return False
