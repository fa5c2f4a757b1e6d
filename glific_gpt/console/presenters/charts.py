"""Charts: what is drawn of a report, as plain numbers for overview.js and as text for who cannot see it."""

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
    """One colour of bars."""

    name: str
    values: list[float]
    shown: list[str]
    """The same as text."""
    colour: Colour
    hatched: bool = False
    """So that it can be told apart without seeing colours."""


@dataclass(frozen=True)
class Chart:
    """Stacked bars."""

    id: str
    title: str
    about: str
    """What each bar is: the heading of the first column of the table."""
    labels: list[str]
    series: list[Series]
    ticks: list[str] | None = None
    """Shorter labels, for below the bars."""
    line: dict[str, Any] | None = None
    """A line before the bar of that index, with its name."""
    unit: Literal["", "$"] = ""

    def data(self) -> dict[str, Any]:
        """For the script."""
        series = [
            {"name": one.name, "values": one.values, "shown": one.shown, "colour": one.colour, "hatched": one.hatched}
            for one in self.series
        ]
        ticks = self.ticks or self.labels
        return {"labels": self.labels, "ticks": ticks, "series": series, "line": self.line, "unit": self.unit}


def build_charts(report: Overview) -> list[Chart]:
    return [_calls(report), _times(report), _tokens(report), _cost(report)]


def _calls(report: Overview) -> Chart:
    figures = list(report.days.values())
    good = _series(_("No failure"), [day.calls - day.failures for day in figures], "primary")
    bad = _series(_("Failures"), [day.failures for day in figures], "red", hatched=True)
    return Chart("calls", _("Calls and failures by day"), _("Day"), _days(report), [good, bad])


def _times(report: Overview) -> Chart:
    bars = report.in_time.bars
    last = len(bars) - 1
    in_time = [bar.calls if index < last else 0 for index, bar in enumerate(bars)]
    late = [0] * last + [bars[last].calls]
    series = [
        _series(_("Came in time"), in_time, "primary"),
        _series(_("Too late for Glific"), late, "red", hatched=True),
    ]
    line = {"before": last, "name": _("Glific waits 5 s")}
    labels, ticks = [_span(bar) for bar in bars], [_short(bar) for bar in bars]
    return Chart("times", _("Answer times"), _("Time"), labels, series, ticks, line)


def _tokens(report: Overview) -> Chart:
    figures = list(report.days.values())
    asked = _series(_("Tokens in"), [day.input_tokens for day in figures], "primary")
    answered = _series(_("Tokens out"), [day.output_tokens for day in figures], "azure", hatched=True)
    return Chart("tokens", _("Tokens by day"), _("Day"), _days(report), [asked, answered])


def _cost(report: Overview) -> Chart:
    dollars = [float(day.cost_usd) for day in report.days.values()]
    series = _series(_("Cost"), dollars, "primary", shown=numbers.format_dollars)
    return Chart("cost", _("Cost by day"), _("Day"), _days(report), [series], unit="$")


def _days(report: Overview) -> list[str]:
    return [numbers.format_day(day) for day in report.days]


def _span(bar: AnswerTimeBucket) -> str:
    if bar.to_ms is None:
        return str(_("%(time)s or more", time=_edge(bar.from_ms)))
    return str(_("up to %(time)s", time=_edge(bar.to_ms)))


def _short(bar: AnswerTimeBucket) -> str:
    return f"≥ {_edge(bar.from_ms)}" if bar.to_ms is None else f"< {_edge(bar.to_ms)}"


def _edge(milliseconds: int) -> str:
    return str(_("%(number)s s", number=format_decimal(milliseconds / 1000)))


def _series(
    name: str,
    values: list[int] | list[float],
    colour: Colour,
    *,
    hatched: bool = False,
    shown: Callable[[Any], str] = numbers.format_number,
) -> Series:
    return Series(name, [*values], [shown(value) for value in values], colour, hatched)
