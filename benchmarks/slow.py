"""The slow case: many concurrent calls that wait for a slow upstream, and the memory that they need."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks import databases, load_generator, upstreams
from benchmarks.load_generator import Load
from benchmarks.memory import PeakMemory
from benchmarks.progress import print_progress
from benchmarks.systems import glific_gpt_server, registry
from benchmarks.systems.system import POSTGRESQL, SQLITE, System

UPSTREAM_SECONDS = 3.0
DEADLINE_SECONDS = 4.5
RAMP = Load(concurrency=1000, seconds=15, ramp_seconds=UPSTREAM_SECONDS)
BURST = Load(concurrency=1000, seconds=12)

MAX_IN_FLIGHT = 2 * RAMP.concurrency
"""All calls come from one organization, which may hold half of the calls of a process."""

HIGH_CONCURRENCY = Load(concurrency=4000, seconds=15, ramp_seconds=UPSTREAM_SECONDS)
HIGH_CONCURRENCY_DEADLINE_SECONDS = 60
HIGH_CONCURRENCY_MAX_IN_FLIGHT = 2 * HIGH_CONCURRENCY.concurrency


def measure(rounds: int) -> dict[str, Any]:
    with upstreams.run_slow_upstream(UPSTREAM_SECONDS) as upstream:
        measured: dict[str, list[dict[str, Any]]] = {}
        for number in range(1, rounds + 1):
            for system in _start_systems(upstream):
                print_progress(f"slow: round {number} of {rounds}, {system.name}")
                results = {"ramp": _measure_system(system, RAMP), "burst": _measure_system(system, BURST)}
                measured.setdefault(system.name, []).append(results)
        high_concurrency = _measure_high_concurrency(upstream)
    return {
        "upstream": upstreams.slow_upstream_name(),
        "upstream_seconds": UPSTREAM_SECONDS,
        "deadline_seconds": DEADLINE_SECONDS,
        "max_in_flight": MAX_IN_FLIGHT,
        "high_concurrency_max_in_flight": HIGH_CONCURRENCY_MAX_IN_FLIGHT,
        "high_concurrency_deadline_seconds": HIGH_CONCURRENCY_DEADLINE_SECONDS,
        "loads": {"ramp": asdict(RAMP), "burst": asdict(BURST), "high_concurrency": asdict(HIGH_CONCURRENCY)},
        "omitted": registry.list_omitted(),
        "systems": measured,
        "high_concurrency": high_concurrency,
    }


def _start_systems(upstream: str) -> Iterator[System]:
    """Start one system after the other. Each starts again in each round, so that it holds only these calls."""
    settings = {"max_in_flight": MAX_IN_FLIGHT, "deadline_seconds": DEADLINE_SECONDS}
    for name in (SQLITE, POSTGRESQL) if databases.has_postgresql() else (SQLITE,):
        with glific_gpt_server.start(name, upstream, **settings) as system:
            yield system
    for start in registry.list_peers().values():
        with start(upstream) as system:
            yield system


def _measure_high_concurrency(upstream: str) -> dict[str, Any]:
    """Measure the largest number of calls that one process may hold, on this server and on the upstream itself."""
    settings = {
        "max_in_flight": HIGH_CONCURRENCY_MAX_IN_FLIGHT,
        "deadline_seconds": HIGH_CONCURRENCY_DEADLINE_SECONDS,
        "max_connections_per_address": 2 * HIGH_CONCURRENCY.concurrency,
    }
    with registry.start_direct(upstream) as system:
        print_progress(f"slow: {HIGH_CONCURRENCY.concurrency} concurrent calls, {system.name}")
        results = {system.name: _measure_system(system, HIGH_CONCURRENCY)}
    with glific_gpt_server.start(SQLITE, upstream, **settings) as system:
        print_progress(f"slow: {HIGH_CONCURRENCY.concurrency} concurrent calls, {system.name}")
        return results | {SQLITE: _measure_system(system, HIGH_CONCURRENCY)}


def _measure_system(system: System, load: Load) -> dict[str, Any]:
    if system.program is None:
        return asdict(load_generator.measure(system.targets, load))
    peak = PeakMemory(system.program.process.pid)
    metrics = load_generator.measure(system.targets, load, peak.sample)
    system.require_alive()
    return asdict(metrics) | {"pss_mb": peak.pss_mb, "rss_mb": peak.rss_mb}
