"""The comparison: the same question through each side, in turn, shortly and often, as a machine's speed drifts."""

from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from benchmarks import load_generator, upstreams
from benchmarks.load_generator import Load
from benchmarks.progress import print_progress
from benchmarks.systems import registry

CONCURRENT = Load(at_once=16, seconds=1.5, warm_up=0.5)
SEQUENTIAL = Load(at_once=1, seconds=1, warm_up=0.3)


def measure(rounds: int) -> dict[str, Any]:
    """For each side, what each round measured at 16 at once and one at a time."""
    with ExitStack() as stack:
        upstream = stack.enter_context(upstreams.run_fast_upstream())
        sides = []
        for name, start in registry.list_systems().items():
            print_progress(f"comparison: {name} starts")
            sides.append(stack.enter_context(start(upstream)))
        measured: dict[str, list[dict[str, Any]]] = {side.name: [] for side in sides}
        for number in range(1, rounds + 1):
            for side in sides:
                print_progress(f"comparison: round {number} of {rounds}, {side.name}")
                many, one = (
                    load_generator.measure(side.targets, CONCURRENT),
                    load_generator.measure(side.targets, SEQUENTIAL),
                )
                side.require_alive()
                measured[side.name].append({"many": asdict(many), "one": asdict(one)})
    return {
        "upstream": upstreams.fast_upstream_name(),
        "many": asdict(CONCURRENT),
        "one": asdict(SEQUENTIAL),
        "left_out": registry.list_omitted(),
        "sides": measured,
    }
