"""The section on the comparison of systems."""

from typing import Any

from benchmarks.report.markdown import bar_chart, format_number, table
from benchmarks.report.medians import Rounds, format_failures, median, median_ratio
from benchmarks.systems.system import DIRECT, OWN_SYSTEMS, PEERS

METHOD = """\
Each system gets the same question and calls the same upstream, {upstream}, which answers immediately. Each system runs
in one process, on the same machine as the upstream and the load generator. The systems are measured in turn, in many
short rounds (rounds: {rounds}). The tables show medians over the rounds. "16 concurrent" is sixteen connections that
send one call after the other for {concurrent:g} seconds. "One at a time" is one such connection for {sequential:g} s.
A failure is any status except 200. The row of the upstream shows the limit of the upstream and the load generator."""

RATIO_METHOD = """\
A ratio compares two systems in the same round, which were measured within about a minute. The tables show the median of
these ratios. Above 1.00, glific_gpt answered more calls per second. For milliseconds, below 1.00, it took less time."""


def render_section(measured: dict[str, Any]) -> str:
    systems: dict[str, Rounds] = measured["systems"]
    method = METHOD.format(
        upstream=measured["upstream"],
        rounds=max(len(each) for each in systems.values()),
        concurrent=measured["concurrent"]["seconds"],
        sequential=measured["sequential"]["seconds"],
    )
    rates = [
        (name, median(_select(systems, name, "concurrent"), "per_second") or 0.0) for name in systems if name != DIRECT
    ]
    parts = [method, _render_medians(systems), bar_chart("16 concurrent calls", "calls per second", rates)]
    parts += [f"Omitted: {sentence}" for sentence in measured["omitted"]]
    return "\n\n".join([*parts, *_render_ratios(systems)])


def _render_medians(systems: dict[str, Rounds]) -> str:
    rows = []
    for name in systems:
        concurrent, sequential = _select(systems, name, "concurrent"), _select(systems, name, "sequential")
        figures = [
            format_number(median(concurrent, "per_second")),
            format_number(median(concurrent, "p50"), 2),
            format_number(median(concurrent, "p99"), 2),
            format_number(median(sequential, "p50"), 2),
            format_number(median(sequential, "p99"), 2),
        ]
        rows.append([name, *figures, format_failures([*concurrent, *sequential])])
    heads = ["", "calls/s, 16 concurrent", "p50 ms", "p99 ms", "p50 ms, one at a time", "p99 ms", "failures"]
    return table(heads, rows)


def _render_ratios(systems: dict[str, Rounds]) -> list[str]:
    peers = [name for name in PEERS if name in systems]
    if not peers:
        return []
    heads = ["", *(f"{figure}, to {peer}" for peer in peers for figure in ("calls/s", "p50 one at a time", "p99"))]
    return [RATIO_METHOD, table(heads, [_ratio_row(systems, name, peers) for name in OWN_SYSTEMS if name in systems])]


def _ratio_row(systems: dict[str, Rounds], name: str, peers: list[str]) -> list[str]:
    concurrent, sequential = _select(systems, name, "concurrent"), _select(systems, name, "sequential")
    row = [name]
    for peer in peers:
        row.append(format_number(median_ratio(concurrent, _select(systems, peer, "concurrent"), "per_second"), 2))
        peer_sequential = _select(systems, peer, "sequential")
        row += [format_number(median_ratio(sequential, peer_sequential, each), 2) for each in ("p50", "p99")]
    return row


def _select(systems: dict[str, Rounds], name: str, load: str) -> Rounds:
    return [each[load] for each in systems[name]]
