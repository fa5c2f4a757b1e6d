"""CPU time and memory are those of a program and its children."""

import subprocess
import sys
import time

from benchmarks.memory import read_cpu_seconds, read_peak_resident_mb

WORK = "import time\nuntil = time.process_time() + 0.3\nwhile time.process_time() < until: pass\n"
PARENT = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {WORK + 'input()'!r}]).wait()\n"


def test_the_cpu_time_of_children_counts() -> None:
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603 - a constant of this test
        until = time.monotonic() + 30
        while (used := read_cpu_seconds(process.pid)) < 0.3 and time.monotonic() < until:
            time.sleep(0.02)
        process.communicate(b"\n")
    assert used >= 0.3


def test_the_peak_of_the_memory_is_known_after_it_was_released() -> None:
    command = [sys.executable, "-c", "x = b'x' * 80_000_000; del x; print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout
        process.stdout.readline()
        peak = read_peak_resident_mb(process.pid)
        process.communicate(b"\n")
    assert 80 <= peak < 130
