"""The slow case: many calls at once that wait for an upstream that takes its time, and the memory that they need."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks import load_generator, upstreams
from benchmarks.load_generator import Load
from benchmarks.memory import PeakMemory
from benchmarks.progress import print_progress
from benchmarks.systems import glific_gpt_server, registry
from benchmarks.systems.system import SQLITE, System

UPSTREAM_SECONDS = 3.0
DEADLINE_SECONDS = 4.5
RAMP = Load(at_once=1000, seconds=15, ramp=UPSTREAM_SECONDS)
BURST = Load(at_once=1000, seconds=12)

HIGH_CONCURRENCY = Load(at_once=4000, seconds=15, ramp=UPSTREAM_SECONDS)
HIGH_CONCURRENCY_DEADLINE_SECONDS = 60


def measure(rounds: int) -> dict[str, Any]:
    with upstreams.run_slow_upstream(UPSTREAM_SECONDS) as upstream:
        measured: dict[str, list[dict[str, Any]]] = {}
        for number in range(1, rounds + 1):
            for side in _start_systems(upstream):
                print_progress(f"slow: round {number} of {rounds}, {side.name}")
                found = {"ramp": _measure_system(side, RAMP), "same_moment": _measure_system(side, BURST)}
                measured.setdefault(side.name, []).append(found)
        more = _measure_high_concurrency(upstream)
    return {
        "upstream": upstreams.slow_upstream_name(),
        "upstream_seconds": UPSTREAM_SECONDS,
        "deadline_seconds": DEADLINE_SECONDS,
        "more_deadline_seconds": HIGH_CONCURRENCY_DEADLINE_SECONDS,
        "loads": {"ramp": asdict(RAMP), "same_moment": asdict(BURST), "more": asdict(HIGH_CONCURRENCY)},
        "left_out": registry.list_omitted(),
        "sides": measured,
        "more": more,
    }


def _start_systems(upstream: str) -> Iterator[System]:
    """One after the other, each started anew, so that memory is what these calls need."""
    with glific_gpt_server.start_on_sqlite(upstream, deadline_seconds=DEADLINE_SECONDS) as side:
        yield side
    for start in registry.list_peers().values():
        with start(upstream) as side:
            yield side


def _measure_high_concurrency(upstream: str) -> dict[str, Any]:
    """As many calls as one process may be told to hold, on our server and on the upstream itself."""
    settings = {"max_in_flight": HIGH_CONCURRENCY.at_once, "deadline_seconds": HIGH_CONCURRENCY_DEADLINE_SECONDS}
    with registry.start_direct(upstream) as side:
        print_progress(f"slow: {HIGH_CONCURRENCY.at_once} at once, {side.name}")
        found = {side.name: _measure_system(side, HIGH_CONCURRENCY)}
    with glific_gpt_server.start_on_sqlite(upstream, **settings) as side:
        print_progress(f"slow: {HIGH_CONCURRENCY.at_once} at once, {side.name}")
        return found | {SQLITE: _measure_system(side, HIGH_CONCURRENCY)}


def _measure_system(side: System, how: Load) -> dict[str, Any]:
    if side.program is None:
        return asdict(load_generator.measure(side.targets, how))
    peak = PeakMemory(side.program.process.pid)
    figures = load_generator.measure(side.targets, how, peak.look)
    side.require_alive()
    return asdict(figures) | {"pss_mb": peak.pss_mb, "rss_mb": peak.rss_mb}
