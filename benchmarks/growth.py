"""Growth: calls per second with more processes, more organizations and more recorded calls."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks import databases, load_generator, server, upstreams
from benchmarks.load_generator import Load
from benchmarks.progress import print_progress
from benchmarks.seeding import seed_calls
from benchmarks.seeding_organizations import seed_organizations
from benchmarks.systems.system import System
from benchmarks.targets import Target

LOAD = Load(concurrency=16, seconds=3, warm_up_seconds=1)


@dataclass(frozen=True)
class Size:
    """The size of a deployment."""

    processes: int = 1
    organizations: int = 1
    calls: int = 0
    """Calls recorded before the measurement."""

    def __str__(self) -> str:
        return f"{self.processes} processes, {self.organizations:,} organizations, {self.calls:,} calls"


PROCESSES = (Size(), Size(processes=2))
ORGANIZATIONS = (Size(), Size(organizations=100), Size(organizations=10_000))
CALLS = (
    Size(organizations=100),
    Size(organizations=100, calls=1_000_000),
    Size(organizations=100, calls=10_000_000),
)


@dataclass(frozen=True)
class Scenario:
    """A database of one size, with the targets of its organizations."""

    database: str
    size: Size
    environ: dict[str, str]
    targets: list[Target]


def measure(rounds: int, *, max_calls: int) -> list[dict[str, Any]]:
    """Return the metrics of each round, for each size on each database."""
    with ExitStack() as stack:
        upstream = stack.enter_context(upstreams.run_fast_upstream())
        scenarios = list(_create_scenarios(stack, upstream, max_calls))
        measured: list[list[dict[str, Any]]] = [[] for _ in scenarios]
        for number in range(1, rounds + 1):
            for scenario, results in zip(scenarios, measured, strict=True):
                print_progress(f"growth: round {number} of {rounds}, {scenario.database}, {scenario.size}")
                with server.run_server(scenario.environ) as program:
                    metrics = load_generator.measure(scenario.targets, LOAD)
                    System(scenario.database, scenario.targets, program).require_alive()
                results.append(asdict(metrics))
    return [
        {"database": scenario.database} | asdict(scenario.size) | {"rounds": results}
        for scenario, results in zip(scenarios, measured, strict=True)
    ]


def _create_scenarios(stack: ExitStack, upstream: str, max_calls: int) -> Iterator[Scenario]:
    sizes = [size for size in dict.fromkeys(PROCESSES + ORGANIZATIONS + CALLS) if size.calls <= max_calls]
    for name, create_database in databases.list_databases().items():
        for size in sizes:
            print_progress(f"growth: fill {name}: {size}")
            url = stack.enter_context(create_database())
            environ = server.build_environment(url, upstream, processes=size.processes)
            server.migrate(environ)
            targets = seed_organizations(environ, size.organizations)
            seed_calls(url, size.organizations, size.calls)
            yield Scenario(name, size, environ, targets)
