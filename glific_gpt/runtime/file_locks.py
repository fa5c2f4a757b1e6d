"""Locked files. The kernel releases the locks of a dead process."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


def try_lock(path: Path) -> int | None:
    """Lock a file and return its descriptor, or None if another descriptor holds the lock. The file is created."""
    while True:
        # O_CLOEXEC: a program that this process starts would otherwise hold the lock beyond its end.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        os.close(descriptor)  # another process deleted the file between open and lock


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock of this file. The file is left as it is."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
