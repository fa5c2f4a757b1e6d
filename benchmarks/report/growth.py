"""The section on growth."""

from dataclasses import asdict
from typing import Any

from benchmarks import growth
from benchmarks.growth import Size
from benchmarks.report.markdown import bar_chart, format_number, table
from benchmarks.report.medians import format_failures, median

METHOD = """\
glific_gpt alone, with 16 concurrent calls and the upstream that answers immediately. All sizes are measured in turn
(rounds: {rounds}). Organizations and recorded calls are inserted into the database before the measurement. Each
organization has its own token, key and allowlist. The recorded calls are spread over the organizations and over the
last year. Calls go to at most 100 organizations in turn. The server is restarted for each measurement and warmed up
({warm_up_seconds:g} s)."""

DIMENSIONS = (
    ("processes", "Server processes", growth.PROCESSES, "One organization, no recorded calls."),
    ("organizations", "Organizations", growth.ORGANIZATIONS, "One process, no recorded calls."),
    ("calls", "Recorded calls", growth.CALLS, "One process, 100 organizations."),
)

Measured = list[dict[str, Any]]


def render_section(measured: Measured) -> str:
    rounds = max(len(each["rounds"]) for each in measured)
    parts = [METHOD.format(rounds=rounds, warm_up_seconds=growth.LOAD.warm_up_seconds)]
    for dimension, title, sizes, conditions in DIMENSIONS:
        rows = [each for each in measured if any(_has_size(each, size) for size in sizes)]
        parts += [
            f"### {title}",
            conditions,
            _render_table(rows, dimension, title),
            _render_chart(rows, dimension, title),
        ]
    return "\n\n".join(parts)


def _has_size(row: dict[str, Any], size: Size) -> bool:
    return all(row[name] == value for name, value in asdict(size).items())


def _render_table(rows: Measured, dimension: str, title: str) -> str:
    return table(
        ["", title.lower(), "calls/s", "p50 ms", "p99 ms", "failures"],
        [
            [
                each["database"],
                format_number(each[dimension]),
                format_number(median(each["rounds"], "per_second")),
                format_number(median(each["rounds"], "p50"), 2),
                format_number(median(each["rounds"], "p99"), 2),
                format_failures(each["rounds"]),
            ]
            for each in rows
        ],
    )


def _render_chart(rows: Measured, dimension: str, title: str) -> str:
    values = [
        (f"{each['database']}, {format_number(each[dimension])}", median(each["rounds"], "per_second") or 0.0)
        for each in rows
    ]
    return bar_chart(title, "calls per second", values)
