"""The section on a slow upstream."""

from typing import Any

from benchmarks.report.markdown import format_number, table
from benchmarks.report.medians import Rounds, format_failures, median

METHOD = """\
The upstream, {upstream}, takes {seconds:g} seconds for each answer. {concurrency:,} connections send one call after the
other. No system can answer more than {ideal:,.0f} calls per second, so the tables show the share of this ideal.
glific_gpt may hold {max_in_flight:,} calls (`GLIFIC_GPT_MAX_IN_FLIGHT`), because all calls come from one organization,
which may hold half of them. Each call may take {deadline:g} seconds. Each system is restarted in each round (rounds:
{rounds}). Memory is the peak during the measurement: of all processes of the system together, with shared memory
counted once (Pss), and of its largest process alone (Rss)."""

RAMP_METHOD = """\
The first calls are spread over {ramp_seconds:g} seconds, so that later calls begin and end evenly. Calls per second are
counted after this time:"""

BURST_METHOD = """\
All first calls are sent at the same moment, so that answers, and the next calls, also come in bursts:"""

HIGH_CONCURRENCY_METHOD = """\
{concurrency:,} concurrent calls, started over {ramp_seconds:g} seconds, with
`GLIFIC_GPT_MAX_IN_FLIGHT={max_in_flight}` and `GLIFIC_GPT_DEADLINE_SECONDS={deadline:g}`. The ideal is {ideal:,.0f}
calls per second:"""


def render_section(measured: dict[str, Any]) -> str:
    seconds, loads, systems = measured["upstream_seconds"], measured["loads"], measured["systems"]
    ramp, high_concurrency = loads["ramp"], loads["high_concurrency"]
    ideal, high_ideal = ramp["concurrency"] / seconds, high_concurrency["concurrency"] / seconds
    parts = [
        METHOD.format(
            upstream=measured["upstream"],
            seconds=seconds,
            concurrency=ramp["concurrency"],
            ideal=ideal,
            deadline=measured["deadline_seconds"],
            max_in_flight=measured["max_in_flight"],
            rounds=max(len(each) for each in systems.values()),
        )
    ]
    for name, method in (("ramp", RAMP_METHOD), ("burst", BURST_METHOD)):
        rows: dict[str, Rounds] = {system: [each[name] for each in rounds] for system, rounds in systems.items()}
        parts += [method.format(**loads[name]), _render_table(rows, ideal)]
    parts += [f"Omitted: {sentence}" for sentence in measured["omitted"]]
    deadline = measured["high_concurrency_deadline_seconds"]
    values = {"deadline": deadline, "ideal": high_ideal, "max_in_flight": measured["high_concurrency_max_in_flight"]}
    parts.append(HIGH_CONCURRENCY_METHOD.format(**values, **high_concurrency))
    high_rows: dict[str, Rounds] = {system: [metrics] for system, metrics in measured["high_concurrency"].items()}
    return "\n\n".join([*parts, _render_table(high_rows, high_ideal)])


def _render_table(systems: dict[str, Rounds], ideal: float) -> str:
    heads = ["", "calls/s", "of the ideal", "p50 ms", "p99 ms", "memory MB, all", "largest", "failures"]
    return table(heads, [_render_row(name, rounds, ideal) for name, rounds in systems.items()])


def _render_row(name: str, rounds: Rounds, ideal: float) -> list[str]:
    rate = median(rounds, "per_second") or 0.0
    times = [format_number(median(rounds, "p50")), format_number(median(rounds, "p99"))]
    memory = [
        format_number(median(rounds, each)) if each in rounds[0] else format_number(None)
        for each in ("pss_mb", "rss_mb")
    ]
    return [name, format_number(rate), f"{rate / ideal:.0%}", *times, *memory, format_failures(rounds)]
