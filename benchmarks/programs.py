"""Programs that are measured: started, waited for until they answer, and ended with all their children."""

import resource
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.programs import Program, start

START_TIMEOUT_SECONDS = 120
"""Seconds that a program may take until it answers."""


@contextmanager
def run_program(command: Sequence[str], url: str, environ: dict[str, str] | None = None) -> Iterator[Program]:
    """The program, once something is answered at the address, whatever it is."""
    with tempfile.TemporaryDirectory() as folder, start(command, Path(folder), environ) as program:
        wait_until_reachable(url, program)
        yield program


def wait_until_reachable(url: str, program: Program) -> None:
    until = time.monotonic() + START_TIMEOUT_SECONDS
    while not is_reachable(url):
        if time.monotonic() > until or program.process.poll() is not None:
            sys.exit(f"Nothing answers at {url}.\n{program.errors}{program.output}")
        time.sleep(0.01)


def is_reachable(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=START_TIMEOUT_SECONDS).close()  # noqa: S310 - a program of ours
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True


def raise_open_file_limit() -> None:
    """As many open files as the machine lets a process have, also for the programs that are started from here."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
