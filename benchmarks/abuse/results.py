"""The result of an attack as a row of a table, and the bounds that it breaks."""

from decimal import Decimal

from benchmarks.abuse.attacks import Bounds
from benchmarks.abuse.setting import BUDGET_USD, Measured
from benchmarks.report.markdown import format_number

HEADS = (
    "attack",
    "database",
    "revision",
    "refused",
    "p50 ms",
    "p99 ms",
    "longest ms",
    "longest block ms",
    "memory MB",
    "overspent USD",
)


def overspent_usd(measured: Measured) -> Decimal | None:
    return None if measured.spent_usd is None else max(Decimal(0), measured.spent_usd - BUDGET_USD)


def find_broken(measured: Measured, bounds: Bounds) -> list[str]:
    """Return a sentence for each bound that the figures break."""
    times = measured.observation.calls.summary()
    figures: dict[str, tuple[float | Decimal | None, float | Decimal]] = {
        "refused calls": (measured.observation.calls.failures.total(), bounds.refused),
        "p50 in ms": (times["p50_ms"], bounds.p50_ms),
        "p99 in ms": (times["p99_ms"], bounds.p99_ms),
        "longest call in ms": (times["max_ms"], bounds.longest_ms),
        "longest block in ms": (measured.observation.longest_livez_ms, bounds.block_ms),
        "reports of the watchdog": (measured.watchdog_reports, bounds.watchdog_reports),
        "memory in MB": (measured.memory_mb, bounds.memory_mb),
        "overspent US dollars": (overspent_usd(measured) or 0, bounds.overspent_usd),
    }
    broken = [
        f"{name}: {value:,.6g}, at most {most:,}" for name, (value, most) in figures.items() if value and value > most
    ]
    if measured.has_ended:
        broken.append("the server has ended")
    if not times["answered"]:
        broken.append("no call of the other organization was answered")
    if measured.spent_usd == 0:
        broken.append("no call under the budget was answered")
    return broken


def format_row(measured: Measured, names: tuple[str, str, str]) -> list[str]:
    times = measured.observation.calls.summary()
    return [
        *names,
        format_number(measured.observation.calls.failures.total()),
        *(format_number(times[name]) for name in ("p50_ms", "p99_ms", "max_ms")),
        format_number(measured.observation.longest_livez_ms),
        format_number(measured.memory_mb),
        format_number(None if (usd := overspent_usd(measured)) is None else float(usd), 4),
    ]
