"""All attacks, with the bounds that a quiet machine keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from benchmarks.abuse import event_loop, memory, money, shares
from benchmarks.abuse.setting import BUDGET_USD, Measured, Setting


@dataclass(frozen=True)
class Bounds:
    """The largest values that are allowed."""

    refused: int = 0
    """Calls of the other organization without an answer."""
    p50_ms: float = 100
    p99_ms: float = 1000
    longest_ms: float = 2000
    block_ms: float = 500
    watchdog_reports: int = 0
    memory_mb: float = 400
    overspent_usd: Decimal = Decimal(0)


@dataclass(frozen=True)
class Attack:
    name: str
    measure: Callable[[Setting], Measured]
    bounds: Bounds = Bounds()


DEFERRED = Bounds(p50_ms=2000, p99_ms=10_000, longest_ms=10_000)
"""Times until a flow is resumed. A deferred call passes through the database several times."""

FLOOD = Bounds(p50_ms=3000, p99_ms=3000, longest_ms=3000, block_ms=3000)
"""Few calls are made during the two seconds in which a server reads 900 MB over the loopback interface."""

ATTACKS: dict[str, Attack] = {
    "mode": Attack("encoded mode, 5 calls", event_loop.measure_encoded_mode),
    "patterns": Attack("1,000 patterns with stars", event_loop.measure_patterns),
    "markdown": Attack("Markdown of 4,096 images, 20 calls", event_loop.measure_markdown),
    **{
        f"slow-{mode}": Attack(f"1,000 slow calls, {mode}", shares.measure_mode(mode))
        for mode in ("sync", "async", "auto")
    },
    "deferred": Attack("deferred calls of 4 slow organizations", shares.measure_deferred, DEFERRED),
    "budget": Attack(f"100 calls under a budget of ${BUDGET_USD}", money.measure_budget),
    "endless": Attack("3 endless replies", memory.measure_endless_replies),
    **{
        f"halves-{number}": Attack(f"1,000 half-sent bodies {caller}", memory.measure_half_sent_bodies(caller), FLOOD)
        for number, caller in enumerate(memory.CALLERS, 1)
    },
}
