"""Charts of an overview: numbers for overview.js, and the same as text for the accessible tables."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from flask_babel import format_decimal
from flask_babel import gettext as _

from glific_gpt.console.presenters import numbers
from glific_gpt.usage.answer_times import AnswerTimeBucket
from glific_gpt.usage.reports import Overview

Colour = Literal["primary", "azure", "red"]


@dataclass(frozen=True)
class Series:
    """One data series, drawn in one colour."""

    name: str
    values: list[float]
    shown: list[str]
    """The values as text."""
    colour: Colour
    hatched: bool = False
    """Hatched series can be distinguished without colours."""


@dataclass(frozen=True)
class Chart:
    """A stacked bar chart."""

    id: str
    title: str
    category: str
    """Meaning of a bar; the heading of the table's first column."""
    labels: list[str]
    series: list[Series]
    ticks: list[str] | None = None
    """Shorter labels for the axis."""
    line: dict[str, Any] | None = None
    """A vertical line: `before` is the index of the bar that it precedes, `name` its label."""
    unit: Literal["", "$"] = ""

    def data(self) -> dict[str, Any]:
        """Return the data for overview.js."""
        series = [
            {
                "name": item.name,
                "values": item.values,
                "shown": item.shown,
                "colour": item.colour,
                "hatched": item.hatched,
            }
            for item in self.series
        ]
        ticks = self.ticks or self.labels
        return {"labels": self.labels, "ticks": ticks, "series": series, "line": self.line, "unit": self.unit}


def build_charts(report: Overview) -> list[Chart]:
    return [_calls(report), _answer_times(report), _tokens(report), _cost(report)]


def _calls(report: Overview) -> Chart:
    days = list(report.days.values())
    successes = _series(_("No failure"), [day.calls - day.failures for day in days], "primary")
    failures = _series(_("Failures"), [day.failures for day in days], "red", hatched=True)
    return Chart("calls", _("Calls and failures by day"), _("Day"), _day_labels(report), [successes, failures])


def _answer_times(report: Overview) -> Chart:
    buckets = report.synchronous.buckets
    last = len(buckets) - 1
    in_time = [bucket.calls if index < last else 0 for index, bucket in enumerate(buckets)]
    late = [0] * last + [buckets[last].calls]
    timed_out = [0] * last + [report.synchronous.timed_out]
    series = [
        _series(_("In time"), in_time, "primary"),
        _series(_("Too late for Glific"), late, "red", hatched=True),
        _series(_("No answer (time-out)"), timed_out, "red"),
    ]
    line = {"before": last, "name": _("Glific waits 5 s")}
    labels, ticks = [_span(bucket) for bucket in buckets], [_tick(bucket) for bucket in buckets]
    return Chart("times", _("Answer times in seconds"), _("Time"), labels, series, ticks, line)


def _tokens(report: Overview) -> Chart:
    days = list(report.days.values())
    sent = _series(_("Tokens in"), [day.input_tokens for day in days], "primary")
    received = _series(_("Tokens out"), [day.output_tokens for day in days], "azure", hatched=True)
    return Chart("tokens", _("Tokens by day"), _("Day"), _day_labels(report), [sent, received])


def _cost(report: Overview) -> Chart:
    dollars = [float(day.cost_usd) for day in report.days.values()]
    series = _series(_("Cost"), dollars, "primary", format_value=numbers.format_dollars)
    return Chart("cost", _("Cost by day"), _("Day"), _day_labels(report), [series], unit="$")


def _day_labels(report: Overview) -> list[str]:
    return [numbers.format_day(day) for day in report.days]


def _span(bucket: AnswerTimeBucket) -> str:
    if bucket.to_ms is None:
        return str(_("%(time)s or more", time=_format_edge(bucket.from_ms)))
    return str(_("up to %(time)s", time=_format_edge(bucket.to_ms)))


def _tick(bucket: AnswerTimeBucket) -> str:
    # Without the unit, which is in the title: seven ticks must fit on a phone.
    if bucket.to_ms is None:
        return f"≥ {format_decimal(bucket.from_ms / 1000)}"
    return f"< {format_decimal(bucket.to_ms / 1000)}"


def _format_edge(milliseconds: int) -> str:
    return str(_("%(number)s s", number=format_decimal(milliseconds / 1000)))


def _series(
    name: str,
    values: list[int] | list[float],
    colour: Colour,
    *,
    hatched: bool = False,
    format_value: Callable[[Any], str] = numbers.format_number,
) -> Series:
    return Series(name, [*values], [format_value(value) for value in values], colour, hatched)
