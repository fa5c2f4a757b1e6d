"""Files in which the processes of a machine keep their metrics, in a folder that they share.

Each process has a slot: a number, a locked file, and one file for each kind of metric, which prometheus_client maps
into memory. When the process has ended, however it ended, the next process takes its slot and counts on. So no count is
lost, and there are never more files than processes at the same time.
"""

import json
import os
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import structlog
from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from glific_gpt.errors import SettingsError
from glific_gpt.runtime.file_locks import try_lock

FORMAT = "1"
"""Name of the folder inside. Change it when labels or buckets of a metric change: their values cannot be added."""

FILE_SIZES = {"counter": 1 << 20, "histogram": 1 << 16, "gauge_livesum": 1 << 14, "gauge_livemax": 1 << 14}
"""Kinds of files, and their bytes. A thousand counters need a quarter of a megabyte."""

MSG_UNUSABLE = "The folder for metrics, {}, {}. Name another one in GLIFIC_GPT_METRICS_DIR."

log = structlog.get_logger()


@dataclass(frozen=True)
class Slot:
    """The slot of this process. It is kept until the process ends."""

    folder: Path
    name: str
    lock: int
    """Descriptor of the locked file."""


def take_slot(folder: Path) -> Slot:
    """Take the first free slot, and prepare its files. Raises SettingsError if the folder cannot be used."""
    inside = folder / FORMAT
    try:
        _make_private(folder)
        inside.mkdir(mode=0o700, exist_ok=True)
        slot = next(filter(None, (_try_slot(inside, f"slot{number}") for number in count(1))))
        mark_process_dead(slot.name, str(inside))  # the process before may have died with calls in flight
        for kind, size in FILE_SIZES.items():
            _prepare(inside / f"{kind}_{slot.name}.db", size)
    except OSError as failure:
        reason = f"cannot be written ({failure.strerror})"
        raise SettingsError(MSG_UNUSABLE.format(folder, reason)) from None
    return slot


def _try_slot(folder: Path, name: str) -> Slot | None:
    lock = try_lock(folder / f"{name}.lock")
    return None if lock is None else Slot(folder, name, lock)


def read_all(folder: Path) -> Iterable[Metric]:
    """Return the metrics of all processes, those that have ended included. Gauges are those of living processes."""
    inside = folder / FORMAT
    for path in inside.glob("*.lock"):
        lock = try_lock(path)
        if lock is not None:
            mark_process_dead(path.stem, str(inside))
            os.close(lock)
    files = [path for path in inside.glob("*.db") if _is_readable(path)]
    metrics: Iterable[Metric] = MultiProcessCollector.merge([str(path) for path in files])
    return metrics


def _make_private(folder: Path) -> None:
    """Create the folder. Raises SettingsError if another user could write to it: its path can be known to all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise SettingsError(MSG_UNUSABLE.format(folder, "is not a folder"))
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsError(MSG_UNUSABLE.format(folder, "belongs to another user, or others can write to it"))


def _prepare(path: Path, size: int) -> None:
    """Let the file have its whole size on the disk.

    Otherwise a full disk would end the process (SIGBUS) when it writes to a part of the memory that has no place there.
    """
    if path.exists() and not _is_readable(path):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab") as file:
        file.write(bytes(max(0, size - file.tell())))


def _is_readable(path: Path) -> bool:
    """Return False for a file that was damaged, as by a loss of power, or that has just been deleted."""
    try:
        _check(path)
    except FileNotFoundError:
        return False
    except (RuntimeError, ValueError, struct.error):
        log.warning("metrics_file_damaged", file=path.name)
        return False
    return True


def _check(path: Path) -> None:
    """Raises RuntimeError, ValueError or struct.error for a damaged file."""
    with path.open("rb") as file:
        (used,) = struct.unpack("i", file.read(4))
    if not 0 <= used <= path.stat().st_size:
        raise ValueError("The file does not have this length.")
    for key, *_ in MmapedDict.read_all_values_from_file(str(path)):
        json.loads(key)
