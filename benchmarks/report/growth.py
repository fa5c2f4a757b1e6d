"""The section on growth."""

from dataclasses import asdict
from typing import Any

from benchmarks import growth
from benchmarks.growth import Size
from benchmarks.report.markdown import bar_chart, format_number, table
from benchmarks.report.medians import format_failures, median

METHOD = """\
glific_gpt alone, 16 calls at once, over all sizes in turn (rounds: {rounds}), with the upstream that answers at once.
Organizations and recorded calls are written into the database before: each organization has a token, a key and an
allowlist of its own, and the calls are spread over the organizations and the last year. Calls go to up to 100
organizations in turn. The server is started anew for each measurement, and asked for a moment before it
({warm_up:g} s)."""

DIMENSIONS = (
    ("processes", "Server processes", "{:,}", growth.PROCESSES, "One organization, no calls recorded before."),
    ("organizations", "Organizations", "{:,}", growth.ORGANIZATIONS, "One process, no calls recorded before."),
    ("calls", "Recorded calls", "{:,}", growth.CALLS, "One process, 100 organizations."),
)

Measured = list[dict[str, Any]]


def render_section(measured: Measured) -> str:
    rounds = max(len(each["rounds"]) for each in measured)
    parts = [METHOD.format(rounds=rounds, warm_up=growth.LOAD.warm_up)]
    for dimension, title, form, sizes, words in DIMENSIONS:
        rows = [each for each in measured if any(_has_size(each, size) for size in sizes)]
        parts += [
            f"### {title}",
            words,
            _render_table(rows, dimension, title, form),
            _render_chart(rows, dimension, title, form),
        ]
    return "\n\n".join(parts)


def _has_size(found: dict[str, Any], size: Size) -> bool:
    return all(found[name] == value for name, value in asdict(size).items())


def _render_table(rows: Measured, dimension: str, title: str, form: str) -> str:
    return table(
        ["", title.lower(), "calls/s", "p50 ms", "p99 ms", "failures"],
        [
            [
                each["database"],
                form.format(each[dimension]),
                format_number(median(each["rounds"], "per_second")),
                format_number(median(each["rounds"], "p50"), 2),
                format_number(median(each["rounds"], "p99"), 2),
                format_failures(each["rounds"]),
            ]
            for each in rows
        ],
    )


def _render_chart(rows: Measured, dimension: str, title: str, form: str) -> str:
    values = [
        (f"{each['database']}, {form.format(each[dimension])}", median(each["rounds"], "per_second") or 0.0)
        for each in rows
    ]
    return bar_chart(title, "calls per second", values)
