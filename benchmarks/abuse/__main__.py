"""Carry out every known attack on a server, on both databases: `python -m benchmarks.abuse [ATTACK]...`.

Prints a table: how the calls of another organization fared meanwhile, the longest block of the event loop, and the peak
of the memory. Exits with 1 if a bound is broken. Processes, databases and sockets are real. OpenAI and Glific are
stand-ins. `--revision` measures another revision of this project first, which may break the bounds.
"""

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import databases, machine
from benchmarks.abuse.attacks import ATTACKS
from benchmarks.abuse.results import HEADS, find_broken, format_row
from benchmarks.abuse.setting import create_setting
from benchmarks.programs import checkout, raise_open_file_limit
from benchmarks.progress import print_progress
from benchmarks.report.markdown import table
from tests.support.programs import ROOT

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
CHECKOUT = "this checkout"


def main() -> None:
    options = _parse_arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("Stopped."))  # so that all programs end, and all files are removed
    raise_open_file_limit()
    rows: list[list[str]] = []
    broken: list[str] = []
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        trees = {CHECKOUT: ROOT}
        if options.revision:
            trees = {options.revision: stack.enter_context(checkout(options.revision, Path(temporary, "tree")))} | trees
        for database in options.databases:
            for revision, folder in trees.items():
                measured = _measure(folder, revision, DATABASES[database], options.attacks, rows)
                broken += measured if revision == CHECKOUT else []
    print(f"{machine.describe_machine()}\n\n{table(HEADS, rows)}")
    if broken:
        sys.exit("Broken bounds:\n" + "\n".join(broken))


def _measure(folder: Path, revision: str, database: str, attacks: list[str], rows: list[list[str]]) -> list[str]:
    """Add a row for each attack. Return the broken bounds."""
    broken: list[str] = []
    with create_setting(folder, database) as setting:
        for name in attacks:
            attack = ATTACKS[name]
            print_progress(f"{database}, {revision}: {attack.name}")
            measured = attack.measure(setting)
            rows.append(format_row(measured, (attack.name, database, revision)))
            found = find_broken(measured, attack.bounds)
            broken += [f"{attack.name}, {database}: {each}" for each in found]
            print_progress(f"  replies: {dict(measured.replies)}; broken: {'; '.join(found) or 'none'}")
    return broken


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.abuse", description=__doc__)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"Default: all. {', '.join(ATTACKS)}.")
    parser.add_argument("--database", dest="databases", choices=DATABASES, action="append", help="Default: both.")
    parser.add_argument("--revision", help="Other revision to measure first, for example HEAD~1.")
    options: argparse.Namespace = parser.parse_args()
    if unknown := set(options.attacks) - ATTACKS.keys():
        parser.error(f"Unknown attack: {', '.join(sorted(unknown))}. Use {', '.join(ATTACKS)}.")
    options.attacks = options.attacks or list(ATTACKS)
    options.databases = options.databases or list(DATABASES)
    if "postgresql" in options.databases and not databases.has_postgresql():
        parser.error(f"{databases.POSTGRESQL_OMITTED} Use --database sqlite.")
    return options


if __name__ == "__main__":
    main()
