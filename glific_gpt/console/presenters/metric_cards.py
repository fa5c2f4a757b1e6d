"""Number cards: the figures of a period, each beside the period before."""

from typing import NamedTuple

from flask_babel import gettext as _

from glific_gpt.console.presenters import numbers
from glific_gpt.usage.answer_times import AnswerTimes
from glific_gpt.usage.reports import Overview


class MetricCard(NamedTuple):
    """One number."""

    name: str
    value: str
    note: str
    """What else there is to know of it."""
    before: str
    """How it was in the period before."""


def build_metric_cards(report: Overview) -> list[MetricCard]:
    days = len(report.days)
    return [
        _calls(report, days),
        _failures(report, days),
        _times(report.in_time, report.in_time_before, days),
        _cost(report, days),
    ]


def _calls(report: Overview, days: int) -> MetricCard:
    answered = numbers.format_number(report.total.calls - report.total.failures)
    note = _("%(answered)s without a failure", answered=answered)
    before = compare_with_previous(report.total.calls, report.before.calls, days)
    return MetricCard(_("Calls"), numbers.format_number(report.total.calls), note, before)


def _failures(report: Overview, days: int) -> MetricCard:
    note = _("%(share)s of all calls", share=numbers.format_share(report.total.failure_share))
    if report.before.calls:
        share = numbers.format_share(report.before.failure_share)
        before = _("%(share)s in the %(days)s days before", share=share, days=days)
    else:
        before = _nothing(days)
    return MetricCard(_("Failures"), numbers.format_number(report.total.failures), note, before)


def _times(times: AnswerTimes, earlier: AnswerTimes, days: int) -> MetricCard:
    name = _("Median answer time")
    if times.p50_ms is None or times.p95_ms is None:
        return MetricCard(name, "–", _("no answers yet"), _nothing(days))
    late = numbers.format_share(times.late_share)
    note = _("%(share)s took 5 s or more", share=late) if times.late else _("none took 5 s or more")
    if earlier.p50_ms is None:
        before = _nothing(days)
    else:
        before = _("%(time)s in the %(days)s days before", time=numbers.format_seconds(earlier.p50_ms), days=days)
    return MetricCard(name, numbers.format_seconds(times.p50_ms), note, before)


def _cost(report: Overview, days: int) -> MetricCard:
    tokens = _("%(tokens)s tokens", tokens=numbers.format_number(report.total.tokens))
    unpriced = _("; %(calls)s calls have no known price", calls=numbers.format_number(report.total.unpriced))
    note = tokens + (unpriced if report.total.unpriced else "")
    before = compare_with_previous(float(report.total.cost_usd), float(report.before.cost_usd), days)
    return MetricCard(_("Cost"), numbers.format_dollars(report.total.cost_usd), note, before)


def compare_with_previous(value: float, before: float, days: int) -> str:
    """A sum, beside that of as many days before."""
    if not before:
        return _nothing(days)
    change = round(100 * (value - before) / before)
    share = numbers.format_share(abs(change) / 100)
    if change > 0:
        return str(_("%(share)s more than in the %(days)s days before", share=share, days=days))
    if change < 0:
        return str(_("%(share)s less than in the %(days)s days before", share=share, days=days))
    return str(_("as in the %(days)s days before", days=days))


def _nothing(days: int) -> str:
    return str(_("nothing in the %(days)s days before", days=days))
