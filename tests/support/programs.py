"""Programs of this project in separate processes, which end at the latest with their test."""

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

from tests.support.forked_programs import ForkedProcess, fork

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 40
"""Time for a program to start or to end on a busy machine."""

SERVER = (sys.executable, "-m", "glific_gpt.server")
FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")
WORKER = (*FLASK, "worker")
REMOVED_PREFIXES = ("GLIFIC_GPT_", "OPENAI_", "FLASK_", "MAKE", "MFLAGS", "PORT", "PYTHONPATH")
"""Prefixes of environment variables that would change the behaviour of a program."""


@dataclass
class Program:
    """A process with all its children, and their output so far."""

    process: subprocess.Popen[bytes] | ForkedProcess
    folder: Path

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text(errors="replace")

    @property
    def errors(self) -> str:
        return (self.folder / "errors").read_text(errors="replace")

    def wait_for_exit(self) -> int:
        """Wait until it ends by itself, and return its exit code."""
        return self.process.wait(TIMEOUT_SECONDS)

    def send(self, number: Signals) -> None:
        """Send a signal to the process, without its children."""
        self.process.send_signal(number)

    def send_all(self, number: Signals) -> None:
        """Send a signal to the process and its children, like Ctrl-C in a terminal."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@contextmanager
def start(
    command: Sequence[str],
    folder: Path,
    environ: dict[str, str] | None = None,
    cwd: Path = ROOT,
    *,
    is_forked: bool = False,
    pass_fds: Sequence[int] = (),
) -> Iterator[Program]:
    """Run the program with these variables of the product and no others. Its output is written to `folder`.

    `pass_fds` are descriptors that it inherits.

    A test in which the start itself does not matter sets `is_forked`: the program need not import the product then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    all_environ = clean_environment() | (environ or {})
    with (
        (folder / "output").open("wb") as output,
        (folder / "errors").open("wb") as errors,
        default_interrupt_handler(),
    ):
        if is_forked:
            assert (*command[:2], cwd) == (sys.executable, "-m", ROOT), "Only modules of this checkout are forked."
            process: subprocess.Popen[bytes] | ForkedProcess = fork(
                command[2:], all_environ, cwd, output.fileno(), errors.fileno()
            )
        else:
            process = subprocess.Popen(  # noqa: S603 - the command is a constant of the tests
                command,
                cwd=cwd,
                env=all_environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
                pass_fds=pass_fds,
            )
    program = Program(process, folder)
    try:
        yield program
    finally:
        program.send_all(SIGKILL)
        process.wait()


@contextmanager
def default_interrupt_handler() -> Iterator[None]:
    """Restore the default handler of SIGINT for programs that are started inside. Only for the main thread.

    A shell ignores SIGINT for background jobs, such as these tests may be, and a program would inherit that.
    """
    before = getsignal(SIGINT)
    if before == SIG_IGN:
        signal(SIGINT, SIG_DFL)
    try:
        yield
    finally:
        signal(SIGINT, before)


def list_server_processes(program: Program) -> list[int]:
    """Return the ids of the server processes: the children that multiprocessing has started, or the fork server."""
    main = program.process.pid
    found = []
    for child in Path(f"/proc/{main}/task/{main}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # the process has ended meanwhile
            command = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"spawn_main" in command or b"fork_server" in command:
                found.append(int(child))
    return found


def accepts_connections(pid: int, port: int) -> bool:
    """Report whether the event loop of this process waits for connections to this port."""
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"ino:{int(fields[9]):x}" for fields in listening if fields[1].endswith(f":{port:04X}")}
    with suppress(FileNotFoundError, ProcessLookupError):  # the process has ended, or closed a file meanwhile
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if "eventpoll" in str(descriptor.readlink()):
                watched = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text().split()
                if inodes & set(watched):
                    return True
    return False


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(REMOVED_PREFIXES)}


def copy_project(folder: Path) -> Path:
    """Copy the project to this folder, with the installed packages and without any state of earlier runs."""
    copied = folder / "project"
    # Not with git, because the tests must also pass in an unpacked archive.
    left_out = shutil.ignore_patterns(".*", "instance", "build", "node_modules")
    shutil.copytree(ROOT, copied, ignore=left_out)
    (copied / ".venv").symlink_to(sys.prefix)
    return copied


def make_command(target: str) -> tuple[str, ...]:
    """Return the `make` command for a copied project, in which nothing needs to be installed."""
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
    """Report whether no process listens on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until_free(port: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_free(port):
            return True
        time.sleep(0.05)
    return False
