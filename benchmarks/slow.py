"""The slow case: many calls at once that wait for an upstream that takes its time, and the memory that they need."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks import load, upstreams
from benchmarks.load import Load
from benchmarks.memory import Peak
from benchmarks.progress import say
from benchmarks.sides import every, ours
from benchmarks.sides.side import SQLITE, Side

UPSTREAM_SECONDS = 3.0
DEADLINE_SECONDS = 4.5
RAMP = Load(at_once=1000, seconds=15, ramp=UPSTREAM_SECONDS)
SAME_MOMENT = Load(at_once=1000, seconds=12)

MORE = Load(at_once=4000, seconds=15, ramp=UPSTREAM_SECONDS)
MORE_DEADLINE_SECONDS = 60


def measure(rounds: int) -> dict[str, Any]:
    with upstreams.slow(UPSTREAM_SECONDS) as upstream:
        measured: dict[str, list[dict[str, Any]]] = {}
        for number in range(1, rounds + 1):
            for side in _sides(upstream):
                say(f"slow: round {number} of {rounds}, {side.name}")
                found = {"ramp": _asked(side, RAMP), "same_moment": _asked(side, SAME_MOMENT)}
                measured.setdefault(side.name, []).append(found)
        more = _more(upstream)
    return {
        "upstream": upstreams.slow_name(),
        "upstream_seconds": UPSTREAM_SECONDS,
        "deadline_seconds": DEADLINE_SECONDS,
        "more_deadline_seconds": MORE_DEADLINE_SECONDS,
        "loads": {"ramp": asdict(RAMP), "same_moment": asdict(SAME_MOMENT), "more": asdict(MORE)},
        "left_out": every.left_out(),
        "sides": measured,
        "more": more,
    }


def _sides(upstream: str) -> Iterator[Side]:
    """One after the other, each started anew, so that memory is what these calls need."""
    with ours.on_sqlite(upstream, deadline_seconds=DEADLINE_SECONDS) as side:
        yield side
    for start in every.others().values():
        with start(upstream) as side:
            yield side


def _more(upstream: str) -> dict[str, Any]:
    """As many calls as one process may be told to hold, on our server and on the upstream itself."""
    settings = {"max_in_flight": MORE.at_once, "deadline_seconds": MORE_DEADLINE_SECONDS}
    with every.direct(upstream) as side:
        say(f"slow: {MORE.at_once} at once, {side.name}")
        found = {side.name: _asked(side, MORE)}
    with ours.on_sqlite(upstream, **settings) as side:
        say(f"slow: {MORE.at_once} at once, {side.name}")
        return found | {SQLITE: _asked(side, MORE)}


def _asked(side: Side, how: Load) -> dict[str, Any]:
    if side.program is None:
        return asdict(load.measure(side.targets, how))
    peak = Peak(side.program.process.pid)
    figures = load.measure(side.targets, how, peak.look)
    side.require_alive()
    return asdict(figures) | {"pss_mb": peak.pss_mb, "rss_mb": peak.rss_mb}
