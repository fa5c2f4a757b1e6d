"""The section on the comparison of systems."""

from typing import Any

from benchmarks.report.markdown import bar_chart, format_number, table
from benchmarks.report.medians import Rounds, format_failures, median, median_ratio
from benchmarks.systems.system import (
    ASYNC,
    ASYNC_ON_POSTGRESQL,
    AUTO,
    AUTO_ON_POSTGRESQL,
    DIRECT,
    OWN_SYSTEMS,
    PEERS,
    POSTGRESQL,
    SIGNED,
    SIGNED_ON_POSTGRESQL,
    SQLITE,
    WITH_MEMORY,
)

METHOD = """\
Each system gets the same question and calls the same upstream, {upstream}, which answers immediately. Each system runs
in one process, on the same machine as the upstream and the load generator. The systems are measured in turn, in many
short rounds (rounds: {rounds}). The tables show medians over the rounds. "16 concurrent" is sixteen connections that
send one call after the other for {concurrent:g} seconds. "One at a time" is one such connection for {sequential:g} s.
"CPU ms a call" is the processor time of all processes of a system during the concurrent calls, in user and system mode.
A failure is any status except 200. The row of the upstream shows the limit of the upstream and the load generator."""

RATIO_METHOD = """\
A ratio compares two systems in the same round, which were measured within a few minutes. The tables show the median of
these ratios. For calls per second, above 1.00, the system in the row answered more. For milliseconds, below 1.00, it
took less time."""

FIGURES = (
    ("calls/s, 16 concurrent", "concurrent", "per_second"),
    ("CPU ms a call", "concurrent", "cpu_ms"),
    ("p50 ms, one at a time", "sequential", "p50"),
    ("p99 ms, one at a time", "sequential", "p99"),
)
"""Title, load and name of each figure of the tables of ratios."""

VARIANTS = (
    (POSTGRESQL, SQLITE),
    (SIGNED, SQLITE),
    (SIGNED_ON_POSTGRESQL, POSTGRESQL),
    (AUTO, SQLITE),
    (AUTO_ON_POSTGRESQL, POSTGRESQL),
    (ASYNC_ON_POSTGRESQL, ASYNC),
    (WITH_MEMORY, SQLITE),
)
"""Pairs of own systems of which the first is compared with the second."""


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
            format_number(median(concurrent, "cpu_ms"), 2),
            format_number(median(sequential, "p50"), 2),
            format_number(median(sequential, "p99"), 2),
        ]
        rows.append([name, *figures, format_failures([*concurrent, *sequential])])
    heads = [
        "",
        "calls/s, 16 concurrent",
        "p50 ms",
        "p99 ms",
        "CPU ms a call",
        "p50 ms, one at a time",
        "p99 ms",
        "failures",
    ]
    return table(heads, rows)


def _render_ratios(systems: dict[str, Rounds]) -> list[str]:
    # A call that is only accepted has no counterpart at other gateways.
    own = [name for name in OWN_SYSTEMS if name in systems and name not in {ASYNC, ASYNC_ON_POSTGRESQL}]
    peers = [name for name in PEERS if name in systems]
    pairs = [(one, other) for one, other in VARIANTS if one in systems and other in systems]
    parts = [_render_variants(systems, pairs)] if pairs else []
    if peers and own:
        parts += [_render_peers(systems, own, peers, *figure) for figure in FIGURES]
    return [RATIO_METHOD, *parts] if parts else []


def _render_variants(systems: dict[str, Rounds], pairs: list[tuple[str, str]]) -> str:
    heads = ["one to another", *(title for title, _, _ in FIGURES)]
    return table(
        heads,
        [
            [f"{one} to {other}", *(_ratio(systems, one, other, load, figure) for _, load, figure in FIGURES)]
            for one, other in pairs
        ],
    )


def _render_peers(
    systems: dict[str, Rounds], own: list[str], peers: list[str], title: str, load: str, figure: str
) -> str:
    rows = [[name, *(_ratio(systems, name, peer, load, figure) for peer in peers)] for name in own]
    return table([f"{title}, to", *peers], rows)


def _ratio(systems: dict[str, Rounds], one: str, other: str, load: str, figure: str) -> str:
    return format_number(median_ratio(_select(systems, one, load), _select(systems, other, load), figure), 2)


def _select(systems: dict[str, Rounds], name: str, load: str) -> Rounds:
    return [each[load] for each in systems[name]]
