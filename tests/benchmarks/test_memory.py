"""CPU time is that of a program and its children."""

import subprocess
import sys
import time

from benchmarks.memory import read_cpu_seconds

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
