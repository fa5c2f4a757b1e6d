"""Progress of long commands, on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from glific_gpt.cli.output import wants_json

TERMINAL_SECONDS, FILE_SECONDS = 0.1, 5.0
"""Time between two lines. On a terminal, each line replaces the one before."""


class ProgressLines:
    """Prints lines such as `Copying rows: 60,000 of 200,000 (30 %)`."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._seconds = TERMINAL_SECONDS if self._is_terminal else FILE_SECONDS
        self._next = time.monotonic() + self._seconds
        self._is_line_open = False

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Print a line, unless the last one is too recent."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._seconds
        line = f"{phase}: {done:,} of {total:,} ({100 * done // total} %)" if total else f"{phase}: {done:,}"
        if self._is_terminal:
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)
            self._is_line_open = True
        else:
            click.echo(line, err=True)

    def close(self) -> None:
        """Remove the last line from a terminal."""
        if self._is_line_open:
            click.echo("\r\x1b[K", nl=False, err=True)


def _ignore(_phase: str, _done: int, _total: int) -> None:
    """Print nothing."""


@contextmanager
def show_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Yield the function that prints the progress. It prints nothing with --json."""
    if wants_json():
        yield _ignore
        return
    lines = ProgressLines()
    try:
        yield lines
    finally:
        lines.close()
