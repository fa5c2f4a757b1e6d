"""Measure a backup, a restore and copies of a database with many calls: `python -m benchmarks.backups`.

The times are those of whole commands, with their start. The server does not run meanwhile.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import databases, server
from benchmarks.progress import print_progress
from benchmarks.seeding import seed_calls
from benchmarks.seeding_organizations import seed_organizations
from tests.support.databases import postgresql_database
from tests.support.programs import FLASK, ROOT, clean_environment

ORGANIZATIONS = 300


@dataclass(frozen=True)
class Measurement:
    """One command."""

    name: str
    seconds: float
    """Of the whole command."""
    cpu_seconds: float
    """Processor time of the command and of PostgreSQL's programs, without that of the PostgreSQL server."""
    megabytes: float | None
    """Size of the backup; None for other commands."""
    peak_megabytes: float
    """Largest memory of the command."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure backups, restores and copies.")
    parser.add_argument("--calls", type=int, default=200_000, help="recorded calls; 200,000 by default")
    calls = parser.parse_args().calls
    print(f"{calls:,} calls of {ORGANIZATIONS} organizations\n")
    print(f"{'command':40}  {'seconds':>8}  {'CPU s':>6}  {'MB':>8}  {'memory MB':>9}")
    for each in _measure(calls):
        size = "" if each.megabytes is None else f"{each.megabytes:.1f}"
        print(
            f"{each.name:40}  {each.seconds:8.1f}  {each.cpu_seconds:6.1f}  {size:>8}  {each.peak_megabytes:9.0f}",
            flush=True,
        )


def _measure(calls: int) -> Iterator[Measurement]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sqlite = f"sqlite:///{folder}/first.db"
        print_progress("Filling SQLite")
        environ = server.build_environment(sqlite, "http://127.0.0.1:1")
        server.migrate(environ)
        seed_organizations(environ, ORGANIZATIONS)
        seed_calls(sqlite, ORGANIZATIONS, calls)
        yield from _back_up_and_restore("SQLite", environ, f"sqlite:///{folder}/restored.db", folder)
        if not databases.has_postgresql():
            print(databases.POSTGRESQL_OMITTED)
            return
        first, second = (stack.enter_context(postgresql_database()) for _ in range(2))
        yield _run("copy SQLite to PostgreSQL", environ, "copy", "--to", first)
        on_postgresql = environ | {"GLIFIC_GPT_DATABASE_URL": first}
        yield from _back_up_and_restore("PostgreSQL", on_postgresql, second, folder)
        yield _run("copy PostgreSQL to SQLite", on_postgresql, "copy", "--to", f"sqlite:///{folder}/back.db")


def _back_up_and_restore(kind: str, environ: dict[str, str], target: str, folder: Path) -> Iterator[Measurement]:
    file = str(folder / f"{kind}.backup")
    yield _run(f"backup of {kind}", environ, "backup", file)
    yield _run(f"restore of {kind}", environ | {"GLIFIC_GPT_DATABASE_URL": target}, "restore", file, "--drop-waiting")


def _run(name: str, environ: dict[str, str], *arguments: str) -> Measurement:
    print_progress(name)
    command = [sys.executable, "-c", MEASURED, *FLASK[1:], "database", *arguments, "--json"]
    begun = time.monotonic()
    result = subprocess.run(
        command, cwd=ROOT, env=clean_environment() | environ, check=False, capture_output=True, text=True
    )
    seconds = time.monotonic() - begun
    if result.returncode:
        sys.exit(result.stderr)
    facts: dict[str, Any] = json.loads(result.stdout)
    size = facts["bytes"] / 1e6 if "bytes" in facts else None
    cpu_seconds, peak = map(float, result.stderr.splitlines()[-1].split())
    return Measurement(name, seconds, cpu_seconds, size, peak / 1024)


MEASURED = """
import resource, subprocess, sys
code = subprocess.call([sys.executable, *sys.argv[1:]])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""Runs a command, and prints its processor time in seconds and its largest memory in kibibytes."""


if __name__ == "__main__":
    main()
