"""Compare the server of this checkout with that of another revision: `python -m benchmarks.revisions REVISION`."""

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import databases, load_generator, server, slow, upstreams
from benchmarks.load_generator import Load
from benchmarks.memory import PeakMemory, read_cpu_seconds
from benchmarks.programs import checkout, raise_open_file_limit
from benchmarks.progress import print_progress
from benchmarks.report.markdown import format_number, table
from benchmarks.systems.glific_gpt_server import MODES, UNREACHABLE, settings_of, with_mode
from benchmarks.targets import Target
from tests.support.programs import ROOT, Program

CONCURRENT = Load(concurrency=16, seconds=0.6)
SEQUENTIAL = Load(concurrency=1, seconds=0.4)
"""Short, because the speed of a shared machine changes within seconds, by more than the difference that is measured.
Without a warm-up, so that all CPU time belongs to calls that are counted."""
WARM_UP = Load(concurrency=16, seconds=2)

FIGURES = ("calls/s, 16 concurrent", "CPU ms per call", "p50 ms, one at a time", "calls/s, slow upstream", "memory MB")


@dataclass
class Tree:
    """A checkout, and the figures of its server in each round."""

    name: str
    folder: Path
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, figure: str, value: float | None) -> None:
        self.figures.setdefault(figure, []).append(value or 0.0)


def main() -> None:
    options = _parse_arguments()
    raise_open_file_limit()
    found = databases.list_databases()
    with tempfile.TemporaryDirectory() as folder, checkout(options.revision, Path(folder, "tree")) as other:
        for name in options.databases or found:
            trees = (Tree(options.revision, other), Tree("this checkout", ROOT))
            _measure_fast(name, options.mode, trees, options.rounds)
            _measure_slow(name, options.mode, trees, options.slow_rounds)
            print(_render(name, *trees))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.revisions", description=__doc__)
    parser.add_argument("revision", help="Revision to compare with, for example HEAD~1.")
    parser.add_argument("--rounds", type=int, default=30, help="Rounds with an upstream that answers immediately.")
    parser.add_argument("--slow-rounds", type=int, default=2, help="Rounds of 1,000 calls that wait for 3 seconds.")
    parser.add_argument("--mode", choices=MODES, default=MODES[0], help="Mode of the calls. Default: sync.")
    parser.add_argument("--databases", nargs="*", metavar="NAME", help="SQLite, PostgreSQL. Default: all available.")
    options: argparse.Namespace = parser.parse_args()
    if unknown := set(options.databases or ()) - set(databases.list_databases()):
        parser.error(f"Not available: {', '.join(sorted(unknown))}.")
    return options


def _measure_fast(database: str, mode: str, trees: Sequence[Tree], rounds: int) -> None:
    """Measure both servers, which run side by side, in many short rounds."""
    with ExitStack() as stack:
        upstream = stack.enter_context(upstreams.run_fast_upstream())
        running = [(tree, *stack.enter_context(_start(tree, database, mode, upstream))) for tree in trees]
        for _, _, target in running:
            load_generator.run_load([target], WARM_UP)
        for number in range(1, rounds + 1):
            print_progress(f"{database}: round {number} of {rounds}")
            # In alternating order, because the server that is measured second is often a little slower.
            for tree, program, target in running if number % 2 else reversed(running):
                before = read_cpu_seconds(program.process.pid)
                # In this process: to start another one takes longer than the round.
                concurrent = load_generator.run_load([target], CONCURRENT)
                cpu_seconds = read_cpu_seconds(program.process.pid) - before
                tree.add(FIGURES[0], concurrent.per_second)
                tree.add(FIGURES[1], cpu_seconds * 1000 / concurrent.calls if concurrent.calls else None)
                tree.add(FIGURES[2], load_generator.run_load([target], SEQUENTIAL).p50)


def _measure_slow(database: str, mode: str, trees: Sequence[Tree], rounds: int) -> None:
    """Measure calls that wait for a slow upstream. Each server starts again, so that it holds only these calls."""
    with upstreams.run_slow_upstream(slow.UPSTREAM_SECONDS) as upstream:
        for number in range(1, rounds + 1):
            print_progress(f"{database}, slow upstream: round {number} of {rounds}")
            for tree in trees if number % 2 else trees[::-1]:
                with _start(tree, database, mode, upstream) as (program, target):
                    peak = PeakMemory(program.process.pid)
                    metrics = load_generator.measure([target], slow.RAMP, peak.sample)
                    tree.add(FIGURES[3], metrics.per_second)
                    tree.add(FIGURES[4], peak.pss_mb)


@contextmanager
def _start(tree: Tree, database: str, mode: str, upstream: str) -> Iterator[tuple[Program, Target]]:
    with ExitStack() as stack:
        url = stack.enter_context(databases.list_databases()[database]())
        environ = server.build_environment(url, upstream, max_in_flight=slow.MAX_IN_FLIGHT, **settings_of(mode))
        server.migrate(environ, tree.folder)
        target = server.create_organization(environ, glific_url=UNREACHABLE, folder=tree.folder)
        yield stack.enter_context(server.run_server(environ, tree.folder)), with_mode(target, mode)


def _render(database: str, before: Tree, after: Tree) -> str:
    rows = []
    for figure, values in before.figures.items():
        ratios = [new / old for old, new in zip(values, after.figures[figure], strict=True) if old]
        medians = (
            statistics.median(values),
            statistics.median(after.figures[figure]),
            statistics.median(ratios or [0]),
        )
        rows.append([figure, *(format_number(each, 2) for each in medians), str(len(values))])
    return "\n" + table([database, before.name, after.name, "ratio", "rounds"], rows) + "\n"


if __name__ == "__main__":
    main()
