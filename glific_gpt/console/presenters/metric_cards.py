"""Metric cards: the main numbers of a period, each compared with the previous period."""

from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from glific_gpt.console.presenters import numbers
from glific_gpt.usage.answer_times import AnswerTimes
from glific_gpt.usage.reports import Overview


class MetricCard(NamedTuple):
    """One metric."""

    name: str
    value: str
    note: str
    """Additional information."""
    comparison: str
    """Comparison with the previous period."""


def build_metric_cards(report: Overview) -> list[MetricCard]:
    days = len(report.days)
    return [
        _calls(report, days),
        _failures(report, days),
        _answer_times(report.synchronous, report.previous_synchronous, days),
        _cost(report, days),
    ]


def _calls(report: Overview, days: int) -> MetricCard:
    answered = numbers.format_number(report.total.calls - report.total.failures)
    note = _("%(answered)s without a failure", answered=answered)
    comparison = compare_with_previous(report.total.calls, report.previous.calls, days)
    return MetricCard(_("Calls"), numbers.format_number(report.total.calls), note, comparison)


def _failures(report: Overview, days: int) -> MetricCard:
    note = _("%(share)s of all calls", share=numbers.format_share(report.total.failure_share))
    if report.previous.calls:
        share = numbers.format_share(report.previous.failure_share)
        comparison = _("%(share)s in the %(days)s days before", share=share, days=days)
    else:
        comparison = _nothing_before(days)
    return MetricCard(_("Failures"), numbers.format_number(report.total.failures), note, comparison)


def _answer_times(times: AnswerTimes, previous: AnswerTimes, days: int) -> MetricCard:
    name = _("Typical answer time")
    if times.p50_ms is None:
        return MetricCard(name, "–", _late_note(times) if times.too_late else _("no answers"), _nothing_before(days))
    note = _late_note(times) if times.too_late else _("none took 5 s or more")
    if previous.p50_ms is None:
        comparison = _nothing_before(days)
    else:
        comparison = _("%(time)s in the %(days)s days before", time=numbers.format_seconds(previous.p50_ms), days=days)
    return MetricCard(name, numbers.format_seconds(times.p50_ms), note, comparison)


def _late_note(times: AnswerTimes) -> str:
    return str(ngettext("%(num)s person got no answer in time", "%(num)s people got no answer in time", times.too_late))


def _cost(report: Overview, days: int) -> MetricCard:
    tokens = _("%(tokens)s tokens", tokens=numbers.format_number(report.total.tokens))
    unpriced = _("; %(calls)s calls have no known price", calls=numbers.format_number(report.total.unpriced))
    note = tokens + (unpriced if report.total.unpriced else "")
    comparison = compare_with_previous(float(report.total.cost_usd), float(report.previous.cost_usd), days)
    return MetricCard(_("Cost"), numbers.format_dollars(report.total.cost_usd), note, comparison)


def compare_with_previous(value: float, previous: float, days: int) -> str:
    """Return the change from the previous period of `days` days, in percent."""
    if not previous:
        return _nothing_before(days)
    change = round(100 * (value - previous) / previous)
    share = numbers.format_share(abs(change) / 100)
    if change > 0:
        return str(_("%(share)s more than in the %(days)s days before", share=share, days=days))
    if change < 0:
        return str(_("%(share)s less than in the %(days)s days before", share=share, days=days))
    return str(_("as in the %(days)s days before", days=days))


def _nothing_before(days: int) -> str:
    return str(_("nothing in the %(days)s days before", days=days))
