"""The comparison: the same question through each side, in turn, shortly and often, as a machine's speed drifts."""

from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from benchmarks import load, upstreams
from benchmarks.load import Load
from benchmarks.progress import say
from benchmarks.sides import every

MANY = Load(at_once=16, seconds=1.5, warm_up=0.5)
ONE = Load(at_once=1, seconds=1, warm_up=0.3)


def measure(rounds: int) -> dict[str, Any]:
    """For each side, what each round measured at 16 at once and one at a time."""
    with ExitStack() as stack:
        upstream = stack.enter_context(upstreams.quick())
        sides = []
        for name, start in every.sides().items():
            say(f"comparison: {name} starts")
            sides.append(stack.enter_context(start(upstream)))
        measured: dict[str, list[dict[str, Any]]] = {side.name: [] for side in sides}
        for number in range(1, rounds + 1):
            for side in sides:
                say(f"comparison: round {number} of {rounds}, {side.name}")
                many, one = load.measure(side.targets, MANY), load.measure(side.targets, ONE)
                side.require_alive()
                measured[side.name].append({"many": asdict(many), "one": asdict(one)})
    return {
        "upstream": upstreams.quick_name(),
        "many": asdict(MANY),
        "one": asdict(ONE),
        "left_out": every.left_out(),
        "sides": measured,
    }
