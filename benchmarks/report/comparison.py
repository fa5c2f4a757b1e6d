"""The section on the comparison."""

from typing import Any

from benchmarks.report.markdown import bar_chart, format_number, table
from benchmarks.report.medians import Rounds, format_failures, median, median_ratio
from benchmarks.systems.system import DIRECT, OWN_SYSTEMS, PEERS

METHOD = """\
Each side is asked the same question and asks the same upstream, {upstream}, which answers at once. Each side runs in
one process, all on this one machine, together with the upstream and the load generator. They are asked in turn,
over and over (rounds: {rounds}); the tables show medians over the rounds. "16 at once" is sixteen connections that each
ask again as soon as they were answered, for {many:g} seconds; "one at a time" is one such connection, for {one:g}.
A failure is any answer but 200. The upstream asked directly shows what the upstream and the load generator can do by
themselves."""

RATIOS = """\
Ratios are formed in each round, between sides that were measured within the same minute or so; the tables show
their medians. Above 1.00 glific_gpt answered more calls per second; for milliseconds, below 1.00 it took less time."""


def render_section(measured: dict[str, Any]) -> str:
    sides: dict[str, Rounds] = measured["sides"]
    rounds = max(len(each) for each in sides.values())
    known = {"upstream": measured["upstream"], "rounds": rounds}
    known |= {"many": measured["many"]["seconds"], "one": measured["one"]["seconds"]}
    between = [(name, _select(sides, name, "many")) for name in sides if name != DIRECT]
    rates = [(name, median(many, "per_second") or 0.0) for name, many in between]
    parts = [METHOD.format(**known), _render_medians(sides), bar_chart("16 at once", "calls per second", rates)]
    parts += [f"Left out: {sentence}" for sentence in measured["left_out"]]
    return "\n\n".join([*parts, *_render_ratios(sides)])


def _render_medians(sides: dict[str, Rounds]) -> str:
    rows = []
    for name in sides:
        many, one = _select(sides, name, "many"), _select(sides, name, "one")
        figures = [
            format_number(median(many, "per_second")),
            format_number(median(many, "p50"), 2),
            format_number(median(many, "p99"), 2),
        ]
        figures += [format_number(median(one, "p50"), 2), format_number(median(one, "p99"), 2)]
        rows.append([name, *figures, format_failures([*many, *one])])
    heads = ["", "calls/s, 16 at once", "p50 ms", "p99 ms", "p50 ms, one at a time", "p99 ms", "failures"]
    return table(heads, rows)


def _render_ratios(sides: dict[str, Rounds]) -> list[str]:
    peers = [name for name in PEERS if name in sides]
    if not peers:
        return []
    heads = ["", *(f"{what}, to {peer}" for peer in peers for what in ("calls/s", "p50 one at a time", "p99"))]
    return [RATIOS, table(heads, [_ratio_row(sides, name, peers) for name in OWN_SYSTEMS if name in sides])]


def _ratio_row(sides: dict[str, Rounds], name: str, peers: list[str]) -> list[str]:
    row = [name]
    for peer in peers:
        row.append(
            format_number(median_ratio(_select(sides, name, "many"), _select(sides, peer, "many"), "per_second"), 2)
        )
        row += [
            format_number(median_ratio(_select(sides, name, "one"), _select(sides, peer, "one"), each), 2)
            for each in ("p50", "p99")
        ]
    return row


def _select(sides: dict[str, Rounds], name: str, what: str) -> Rounds:
    return [each[what] for each in sides[name]]
