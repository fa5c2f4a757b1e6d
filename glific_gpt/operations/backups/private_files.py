"""Files that appear complete or not at all, and that only their owner can read."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glific_gpt.errors import InvalidValue

SUFFIXES = ("", "-journal", "-wal", "-shm")
"""Endings of the files that SQLite writes for a database."""


@contextmanager
def partial_file(target: Path) -> Iterator[Path]:
    """Yield the path of an empty file beside the target, with mode 0600. It is deleted at the end unless it is moved.

    Raises InvalidValue if it cannot be created.
    """
    path = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise InvalidValue(f"No file can be written in {target.parent}: {error.strerror}.") from None
    try:
        yield path
    finally:
        for suffix in SUFFIXES:
            Path(f"{path}{suffix}").unlink(missing_ok=True)


def move_into_place(path: Path, target: Path) -> None:
    """Write the file to the disk, and rename it in one step."""
    _sync(path)
    path.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
