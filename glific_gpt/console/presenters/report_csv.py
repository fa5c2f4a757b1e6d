"""Monthly reports as CSV. Each line has the same columns, so that files of several months can be joined."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal

from glific_gpt.console.presenters.calls_csv import BYTE_ORDER_MARK, escape_formula
from glific_gpt.console.presenters.report import flow_name, model_name
from glific_gpt.organizations.rupee_rate import RupeeRate
from glific_gpt.usage.monthly_report import MonthlyReport
from glific_gpt.usage.report_lines import ReportLine
from glific_gpt.usage.server_report import OrganizationReport

COLUMNS = (
    *("organization", "month", "time_zone", "group", "name", "calls", "answered", "answered_in_time", "failed"),
    *("people", "test_questions", "deleted_calls", "tokens", "calls_without_price", "cost_usd", "cost_inr"),
    *("rupees_per_dollar", "rate_date"),
)


def report_csv(name: str, report: MonthlyReport, rate: RupeeRate | None) -> str:
    """Return the total, and the lines of models and flows."""
    lines = [("total", "", report.total), *(("model", model_name(key), line) for key, line in report.models.items())]
    lines += [("flow", flow_name(key), line) for key, line in report.flows.items()]
    return _write(_cells(name, report, rate, *line) for line in lines)


def server_csv(rows: Iterable[OrganizationReport], rate: RupeeRate | None) -> str:
    """Return the totals of organizations."""
    return _write(_cells(row.name, row.report, rate, "total", "", row.report.total) for row in rows)


def _cells(
    organization: str, report: MonthlyReport, rate: RupeeRate | None, group: str, name: str, line: ReportLine
) -> Iterator[object]:
    yield from (organization, str(report.month), report.month.zone.key, group, name)
    yield from (line.calls, line.answered, line.in_time, line.failures, line.people, line.tests)
    # Which of the deleted calls belong to a model is not part of the report.
    yield report.deleted.calls if group == "total" else ""
    yield from (line.tokens, line.unpriced, _plain(line.cost_usd))
    yield from (_plain(rate.convert(line.cost_usd)), _plain(rate.rupees), rate.day.isoformat()) if rate else [""] * 3


def _plain(value: Decimal) -> str:
    # As text, because the number of a small sum would be written as 1e-05.
    return f"{value:f}"


def _write(lines: Iterable[Iterable[object]]) -> str:
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(COLUMNS)
    writer.writerows(map(escape_formula, line) for line in lines)
    return BYTE_ORDER_MARK + target.getvalue()
