"""Growth: calls per second as there are more processes, more organizations, more recorded calls."""

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

LOAD = Load(at_once=16, seconds=3, warm_up=1)


@dataclass(frozen=True)
class Size:
    """How much there is."""

    processes: int = 1
    organizations: int = 1
    calls: int = 0
    """Recorded before."""

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
    """A database of that size, and how its organizations are asked."""

    database: str
    size: Size
    environ: dict[str, str]
    targets: list[Target]


def measure(rounds: int, *, most_calls: int) -> list[dict[str, Any]]:
    """For each size on each database, what each round measured."""
    with ExitStack() as stack:
        upstream = stack.enter_context(upstreams.run_fast_upstream())
        scenes = list(_create_scenarios(stack, upstream, most_calls))
        measured: list[list[dict[str, Any]]] = [[] for _ in scenes]
        for number in range(1, rounds + 1):
            for scene, found in zip(scenes, measured, strict=True):
                print_progress(f"growth: round {number} of {rounds}, {scene.database}, {scene.size}")
                with server.run_server(scene.environ) as program:
                    figures = load_generator.measure(scene.targets, LOAD)
                    System(scene.database, scene.targets, program).require_alive()
                found.append(asdict(figures))
    return [
        {"database": scene.database} | asdict(scene.size) | {"rounds": found}
        for scene, found in zip(scenes, measured, strict=True)
    ]


def _create_scenarios(stack: ExitStack, upstream: str, most_calls: int) -> Iterator[Scenario]:
    sizes = [size for size in dict.fromkeys(PROCESSES + ORGANIZATIONS + CALLS) if size.calls <= most_calls]
    for name, make in databases.list_databases().items():
        for size in sizes:
            print_progress(f"growth: {name} is filled: {size}")
            url = stack.enter_context(make())
            environ = server.build_environment(url, upstream, processes=size.processes)
            server.migrate(environ)
            targets = seed_organizations(environ, size.organizations)
            seed_calls(url, size.organizations, size.calls)
            yield Scenario(name, size, environ, targets)
