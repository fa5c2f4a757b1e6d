"""glific_gpt.runtime.large_blocks: large blocks do not stay in a process that downloads pictures."""

import sys
from pathlib import Path

import pytest

from tests.support.programs import start

MEMORY = Path("/proc/self/statm")
PROGRAM = """
import os
from pathlib import Path
from glific_gpt.openai.picture_downloads import PictureDownloads

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

downloads = PictureDownloads()
before, small = resident(), []
for _ in range(3):
    large = []
    for _ in range(4):
        large.append(b"x" * 10_000_000)
        small.append(b"x" * 100_000)
    del large
print(resident() - before)
"""


@pytest.mark.skipif(not MEMORY.exists(), reason="only Linux tells the memory of a process in a file")
def test_the_memory_of_pictures_goes_back_to_the_system(tmp_path: Path) -> None:
    with start((sys.executable, "-c", PROGRAM), tmp_path) as program:
        assert program.wait_for_exit() == 0, program.errors
        assert int(program.output) < 5_000_000
