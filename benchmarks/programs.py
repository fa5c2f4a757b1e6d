"""Start measured programs, wait until they respond, and stop them with all their children."""

import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.programs import ROOT, Program, start

START_TIMEOUT_SECONDS = 120
"""Time that a program may take to respond. Other gateways take long to start."""


@contextmanager
def run_program(
    command: Sequence[str], url: str, environ: dict[str, str] | None = None, cwd: Path = ROOT
) -> Iterator[Program]:
    """Yield the program as soon as the URL responds with any status."""
    with tempfile.TemporaryDirectory() as folder, start(command, Path(folder), environ, cwd) as program:
        wait_until_reachable(url, program)
        yield program


def wait_until_reachable(url: str, program: Program) -> None:
    """Exit with the program's output if it ends or does not respond in time."""
    until = time.monotonic() + START_TIMEOUT_SECONDS
    while not is_reachable(url):
        if time.monotonic() > until or program.process.poll() is not None:
            sys.exit(f"No response from {url}. See the program's output:\n{program.errors}{program.output}")
        time.sleep(0.01)


def is_reachable(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=START_TIMEOUT_SECONDS).close()  # noqa: S310 - a program started here
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True


def raise_open_file_limit() -> None:
    """Raise the limit of open files to the maximum. The programs that are started from here inherit it."""
    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))


@contextmanager
def checkout(revision: str, folder: Path) -> Iterator[Path]:
    """Yield the folder with another revision of this project."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), revision], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)
