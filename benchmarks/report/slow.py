"""The section on an upstream that takes its time."""

from typing import Any

from benchmarks.report.markdown import number, table
from benchmarks.report.medians import Rounds, failures, median

MEASURED = """\
The upstream, {upstream}, takes {seconds:g} seconds for each answer, and {at_once:,} connections ask all the time. No
side can answer more than {ideal:,.0f} calls per second then; the share of it is what counts. glific_gpt has its usual
settings, so it holds 1,000 calls at once, and each call has {deadline:g} seconds in all. Each side is started anew in
each round (rounds: {rounds}). Memory is what the side's processes hold at the most while they are asked: together, with
what they share counted once (Pss), and the largest of them alone (Rss)."""

RAMP = """\
With the first calls spread over {ramp:g} seconds, so that afterwards calls come and go evenly; only the time after
that counts for calls per second:"""

SAME_MOMENT = """\
With the first calls all at the same moment, so that the answers, and with them the next calls, come in waves too:"""

MORE = """\
{at_once:,} at once, spread over {ramp:g} seconds, with `GLIFIC_GPT_MAX_IN_FLIGHT={at_once}` and
`GLIFIC_GPT_DEADLINE_SECONDS={deadline:g}`; ideal are {ideal:,.0f} calls per second:"""


def section(measured: dict[str, Any]) -> str:
    seconds, loads, sides = measured["upstream_seconds"], measured["loads"], measured["sides"]
    known = {"upstream": measured["upstream"], "seconds": seconds, "deadline": measured["deadline_seconds"]}
    known |= {"rounds": max(len(each) for each in sides.values()), "at_once": loads["ramp"]["at_once"]}
    ideal, more_ideal = loads["ramp"]["at_once"] / seconds, loads["more"]["at_once"] / seconds
    parts = [MEASURED.format(**known, ideal=ideal)]
    for name, words in (("ramp", RAMP), ("same_moment", SAME_MOMENT)):
        rows: dict[str, Rounds] = {side: [each[name] for each in rounds] for side, rounds in sides.items()}
        parts += [words.format(ramp=loads[name]["ramp"]), _table(rows, ideal)]
    parts += [f"Left out: {sentence}" for sentence in measured["left_out"]]
    more = {"deadline": measured["more_deadline_seconds"], "ideal": more_ideal} | loads["more"]
    parts.append(MORE.format(**more))
    return "\n\n".join([*parts, _table({name: [each] for name, each in measured["more"].items()}, more_ideal)])


def _table(sides: dict[str, Rounds], ideal: float) -> str:
    heads = ["", "calls/s", "of the ideal", "p50 ms", "p99 ms", "memory MB, all", "largest", "failures"]
    return table(heads, [_row(name, rounds, ideal) for name, rounds in sides.items()])


def _row(name: str, rounds: Rounds, ideal: float) -> list[str]:
    rate = median(rounds, "per_second") or 0.0
    times = [number(median(rounds, "p50")), number(median(rounds, "p99"))]
    memory = [number(median(rounds, each)) if each in rounds[0] else number(None) for each in ("pss_mb", "rss_mb")]
    return [name, number(rate), f"{rate / ideal:.0%}", *times, *memory, failures(rounds)]
