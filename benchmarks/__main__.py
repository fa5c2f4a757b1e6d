"""`python -m benchmarks [PART]...`: measures, keeps the results, and writes docs/performance.md from them."""

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks import comparison, growth, machine, results, slow, startup
from benchmarks.programs import raise_open_file_limit
from benchmarks.report import document

EVERY_CALL = 10_000_000
QUICK = 1_000_000


def main() -> None:
    wanted = _arguments()
    raise_open_file_limit()
    parts: dict[str, Callable[[], object]] = {
        "comparison": lambda: comparison.measure(wanted.rounds),
        "slow": lambda: slow.measure(min(wanted.rounds, 3)),
        "growth": lambda: growth.measure(min(wanted.rounds, 3), most_calls=QUICK if wanted.quick else EVERY_CALL),
        "startup": lambda: startup.measure(wanted.rounds),
    }
    for part in wanted.parts or parts:
        if part != "report":
            about = machine.describe()
            results.save(wanted.results, part, about, parts[part]())
    document.write(results.read(wanted.results), wanted.document)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ("comparison", "slow", "growth", "startup", "report")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(names)}; all by default")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often everything is measured; slow, growth: 3 at most"
    )
    parser.add_argument("--quick", action="store_true", help="without ten million recorded calls")
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="the file of results")
    parser.add_argument("--document", type=Path, default=document.DOCUMENT, help="the document that is written")
    wanted = parser.parse_args()
    if unknown := set(wanted.parts) - set(names):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return wanted


if __name__ == "__main__":
    main()
