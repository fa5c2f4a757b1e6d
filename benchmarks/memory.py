"""Memory and CPU time of a program and its children, read from Linux's /proc."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


class PeakMemory:
    """The highest memory use in any sample of a program."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.pss_mb = 0.0
        """Memory of all processes together, with shared memory counted once (Pss)."""
        self.rss_mb = 0.0
        """Memory of the largest process (Rss)."""

    def sample(self) -> None:
        pss, rss = 0.0, 0.0
        for pid in _process_tree(self._pid):
            with suppress(OSError):  # the process may have ended meanwhile
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                pss += _megabytes(rollup, "Pss")
                rss = max(rss, _megabytes(rollup, "Rss"))
        self.pss_mb, self.rss_mb = max(self.pss_mb, pss), max(self.rss_mb, rss)


def read_peak_resident_mb(pid: int) -> float:
    """Return the highest resident memory (Rss) that the program or one of its running children has had."""
    peak = 0.0
    for each in _process_tree(pid):
        with suppress(OSError):  # the process may have ended meanwhile
            peak = max(peak, _megabytes(Path(f"/proc/{each}/status").read_text(), "VmHWM"))
    return peak


def read_cpu_seconds(pid: int) -> float:
    """Return the CPU time that the program and its running children have used, in user and system mode."""
    ticks = 0
    for each in _process_tree(pid):
        with suppress(OSError):  # the process may have ended meanwhile
            # The name of the program, in parentheses, may contain blanks. See proc(5).
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _process_tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                yield from _process_tree(int(child))


def _megabytes(rollup: str, name: str) -> float:
    found = re.search(rf"^{name}:\s+([0-9]+) kB", rollup, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
