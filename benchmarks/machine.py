"""Description of the machine and of the versions of the measured software."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import databases
from benchmarks.systems import peers

LIBRARIES = ("uvicorn", "flask", "sqlalchemy", "openai", "psycopg")


def describe() -> dict[str, object]:
    """Return the date, the machine and the versions."""
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": describe_machine(), "versions": _read_versions()}


def describe_machine() -> str:
    """Return the processor, the memory and the kernel."""
    processor = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = processor[1] if processor else platform.machine()
    return f"{os.cpu_count()} cores ({name}), {gigabytes:.0f} GiB, {platform.system()} {platform.release()}"


def _read_versions() -> dict[str, str]:
    libraries = {name: version(name) for name in LIBRARIES}
    return (
        {"Python": platform.python_version()} | libraries | databases.read_versions() | peers.read_installed_versions()
    )
