"""Run the benchmarks, save their results, and write docs/performance.md: `python -m benchmarks [PART]...`."""

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks import comparison, growth, machine, results, slow, startup
from benchmarks.programs import raise_open_file_limit
from benchmarks.report import document

MAX_RECORDED_CALLS = 10_000_000
MAX_RECORDED_CALLS_QUICK = 1_000_000


def main() -> None:
    options = _parse_arguments()
    raise_open_file_limit()
    max_calls = MAX_RECORDED_CALLS_QUICK if options.quick else MAX_RECORDED_CALLS
    parts: dict[str, Callable[[], object]] = {
        "comparison": lambda: comparison.measure(options.rounds),
        "slow": lambda: slow.measure(min(options.rounds, 3)),
        "growth": lambda: growth.measure(min(options.rounds, 3), max_calls=max_calls),
        "startup": lambda: startup.measure(options.rounds),
    }
    for part in options.parts or parts:
        if part != "report":
            about = machine.describe()
            results.save(options.results, part, about, parts[part]())
    document.write(results.read(options.results), options.document)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ("comparison", "slow", "growth", "startup", "report")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"One of {', '.join(names)}. Default: all.")
    parser.add_argument(
        "--rounds", type=int, default=5, help="Number of rounds of each measurement. At most 3 for slow and growth."
    )
    parser.add_argument("--quick", action="store_true", help="Skip the measurement with ten million recorded calls.")
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="File of the results.")
    parser.add_argument("--document", type=Path, default=document.DOCUMENT, help="Document to write.")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(names):
        parser.error(f"Unknown part: {', '.join(sorted(unknown))}. Use {', '.join(names)}.")
    return options


if __name__ == "__main__":
    main()
