"""The monthly report as people read it: its period, cards, the names of its lines, and notes on what is exact."""

from typing import NamedTuple

from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from glific_gpt.calls.daily_totals import OTHER_MODELS
from glific_gpt.console.presenters import numbers
from glific_gpt.organizations.rupee_rate import RupeeRate
from glific_gpt.usage.monthly_report import MonthlyReport
from glific_gpt.usage.months import Month, today
from glific_gpt.usage.report_lines import ReportLine
from glific_gpt.usage.report_query import OTHER_FLOWS


class ReportCard(NamedTuple):
    """One main number of the report."""

    name: str
    value: str
    note: str


def month_name(month: Month) -> str:
    """Return a name such as November 2026."""
    return str(format_date(month.first, "LLLL y"))


def period(month: Month) -> str:
    """Return the first and the last day. The current month ends today."""
    first = _full_date(month.first)
    if month.is_current:
        return str(_("%(first)s until today, %(today)s", first=first, today=_full_date(today(month.zone))))
    return str(_("%(first)s to %(last)s", first=first, last=_full_date(month.last)))


def model_name(model: str | None) -> str:
    if model is None:
        return str(_("no model (failed earlier)"))
    return str(_("Other models")) if model == OTHER_MODELS else model


def flow_name(flow: int | None) -> str:
    if flow is None:
        return str(_("no flow (for example a test question)"))
    return str(_("Other flows")) if flow == OTHER_FLOWS else str(_("Flow %(number)s", number=flow))


def has_calls(key: str | int | None) -> bool:
    """Return whether the list of calls can show the calls of this model or flow."""
    return key not in {None, OTHER_MODELS, OTHER_FLOWS}


def build_cards(total: ReportLine, rate: RupeeRate | None) -> list[ReportCard]:
    tests = ngettext("%(num)s of them is a test question", "%(num)s of them are test questions", total.tests)
    in_time = ngettext(
        "%(number)s call: within 5 seconds, or while the flow waited",
        "%(number)s calls: within 5 seconds, or while the flow waited",
        total.in_time,
        number=numbers.format_number(total.in_time),
    )
    dollars = numbers.format_dollars(total.cost_usd)
    return [
        ReportCard(_("Calls"), numbers.format_number(total.calls), tests if total.tests else ""),
        ReportCard(_("People reached"), numbers.format_number(total.people), _("different contacts with an answer")),
        ReportCard(_("Answered in time"), numbers.format_share(total.in_time_share), in_time),
        ReportCard(_("Cost"), dollars, numbers.format_rupees(rate.convert(total.cost_usd)) if rate else ""),
    ]


def rate_note(rate: RupeeRate) -> str:
    return str(
        _(
            "Rupees are at ₹%(rupees)s for one US dollar, the rate of %(day)s.",
            rupees=numbers.format_rate(rate.rupees),
            day=_full_date(rate.day),
        )
    )


def build_notes(report: MonthlyReport, rate: RupeeRate | None) -> list[str]:
    """Return sentences on what the numbers of an organization include."""
    zone = _("The month is in the time zone %(zone)s.", zone=report.month.zone.key)
    return [zone, *_notes(report.total, report.deleted.calls, rate)]


def build_server_notes(total: ReportLine, deleted: int, rate: RupeeRate | None) -> list[str]:
    """Return sentences on what the numbers of all organizations include."""
    return [_("The month of each organization is in its own time zone."), *_notes(total, deleted, rate)]


def _notes(total: ReportLine, deleted: int, rate: RupeeRate | None) -> list[str]:
    notes = [_deleted_note(deleted)] if deleted else []
    if total.forgotten:
        notes.append(
            ngettext(
                "The contact of %(num)s call is forgotten, and not counted as a person.",
                "The contacts of %(num)s calls are forgotten, and not counted as people.",
                total.forgotten,
            )
        )
    if total.unpriced:
        notes.append(
            ngettext(
                "%(num)s call used a model without a known price. Its cost is not included.",
                "%(num)s calls used models without a known price. Their cost is not included.",
                total.unpriced,
            )
        )
    notes.append(
        _("The cost is at OpenAI's public prices, without taxes. The exact amount is on the invoice of OpenAI.")
    )
    return [*map(str, notes), *([rate_note(rate)] if rate else [])]


def _deleted_note(calls: int) -> str:
    text: str = ngettext(
        "The server has deleted %(num)s of these calls because of its age. It is included with its day in UTC, but "
        "its contact and its flow are not known. Other numbers are exact.",
        "The server has deleted %(num)s of these calls because of their age. They are included with their days in UTC, "
        "but their contacts and flows are not known, so more people may have been reached. Other numbers are exact.",
        calls,
    )
    return text


def _full_date(day: object) -> str:
    return str(format_date(day, "long"))
