"""The comparison: the same question sent to each system, in many short rounds because a machine's speed drifts."""

from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from benchmarks import load_generator, upstreams
from benchmarks.load_generator import Load
from benchmarks.progress import print_progress
from benchmarks.systems import registry
from benchmarks.systems.system import System

CONCURRENT = Load(concurrency=16, seconds=1.5)
SEQUENTIAL = Load(concurrency=1, seconds=1, warm_up_seconds=0.3)
WARM_UP = Load(concurrency=16, seconds=0.5)


def measure(rounds: int) -> dict[str, Any]:
    """Return the metrics of each system in each round, with 16 concurrent calls and with one call at a time."""
    with ExitStack() as stack:
        upstream = stack.enter_context(upstreams.run_fast_upstream())
        systems = []
        for name, start in registry.list_systems().items():
            print_progress(f"comparison: start {name}")
            systems.append(stack.enter_context(start(upstream)))
        measured: dict[str, list[dict[str, Any]]] = {system.name: [] for system in systems}
        for number in range(1, rounds + 1):
            for system in systems:
                print_progress(f"comparison: round {number} of {rounds}, {system.name}")
                measured[system.name].append(_measure_system(system))
    return {
        "upstream": upstreams.fast_upstream_name(),
        "concurrent": asdict(CONCURRENT),
        "sequential": asdict(SEQUENTIAL),
        "omitted": registry.list_omitted(),
        "systems": measured,
    }


def _measure_system(system: System) -> dict[str, Any]:
    load_generator.measure(system.targets, WARM_UP)
    before = system.read_cpu_seconds()
    concurrent = load_generator.measure(system.targets, CONCURRENT)
    cpu_seconds = system.read_cpu_seconds() - before
    sequential = load_generator.measure(system.targets, SEQUENTIAL)
    system.require_alive()
    # The upstream itself is not a program of the comparison, so its CPU time is not known.
    cpu_ms = cpu_seconds * 1000 / concurrent.calls if system.program and concurrent.calls else None
    return {"concurrent": asdict(concurrent) | {"cpu_ms": cpu_ms}, "sequential": asdict(sequential)}
