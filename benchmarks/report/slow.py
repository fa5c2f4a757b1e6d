"""The section on an upstream that takes its time."""

from typing import Any

from benchmarks.report.markdown import format_number, table
from benchmarks.report.medians import Rounds, format_failures, median

METHOD = """\
The upstream, {upstream}, takes {seconds:g} seconds for each answer, and {at_once:,} connections ask all the time. No
side can answer more than {ideal:,.0f} calls per second then; the share of it is what counts. glific_gpt has its usual
settings, so it holds 1,000 calls at once, and each call has {deadline:g} seconds in all. Each side is started anew in
each round (rounds: {rounds}). Memory is what the side's processes hold at the most while they are asked: together, with
what they share counted once (Pss), and the largest of them alone (Rss)."""

RAMP_METHOD = """\
With the first calls spread over {ramp:g} seconds, so that afterwards calls come and go evenly; only the time after
that counts for calls per second:"""

BURST_METHOD = """\
With the first calls all at the same moment, so that the answers, and with them the next calls, come in waves too:"""

HIGH_CONCURRENCY_METHOD = """\
{at_once:,} at once, spread over {ramp:g} seconds, with `GLIFIC_GPT_MAX_IN_FLIGHT={at_once}` and
`GLIFIC_GPT_DEADLINE_SECONDS={deadline:g}`; ideal are {ideal:,.0f} calls per second:"""


def render_section(measured: dict[str, Any]) -> str:
    seconds, loads, sides = measured["upstream_seconds"], measured["loads"], measured["sides"]
    known = {"upstream": measured["upstream"], "seconds": seconds, "deadline": measured["deadline_seconds"]}
    known |= {"rounds": max(len(each) for each in sides.values()), "at_once": loads["ramp"]["at_once"]}
    ideal, more_ideal = loads["ramp"]["at_once"] / seconds, loads["more"]["at_once"] / seconds
    parts = [METHOD.format(**known, ideal=ideal)]
    for name, words in (("ramp", RAMP_METHOD), ("same_moment", BURST_METHOD)):
        rows: dict[str, Rounds] = {side: [each[name] for each in rounds] for side, rounds in sides.items()}
        parts += [words.format(ramp=loads[name]["ramp"]), _render_table(rows, ideal)]
    parts += [f"Left out: {sentence}" for sentence in measured["left_out"]]
    more = {"deadline": measured["more_deadline_seconds"], "ideal": more_ideal} | loads["more"]
    parts.append(HIGH_CONCURRENCY_METHOD.format(**more))
    return "\n\n".join([*parts, _render_table({name: [each] for name, each in measured["more"].items()}, more_ideal)])


def _render_table(sides: dict[str, Rounds], ideal: float) -> str:
    heads = ["", "calls/s", "of the ideal", "p50 ms", "p99 ms", "memory MB, all", "largest", "failures"]
    return table(heads, [_render_row(name, rounds, ideal) for name, rounds in sides.items()])


def _render_row(name: str, rounds: Rounds, ideal: float) -> list[str]:
    rate = median(rounds, "per_second") or 0.0
    times = [format_number(median(rounds, "p50")), format_number(median(rounds, "p99"))]
    memory = [
        format_number(median(rounds, each)) if each in rounds[0] else format_number(None)
        for each in ("pss_mb", "rss_mb")
    ]
    return [name, format_number(rate), f"{rate / ideal:.0%}", *times, *memory, format_failures(rounds)]
