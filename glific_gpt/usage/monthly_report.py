"""Report of an organization's calls in a month of its time zone: in total, by model and by flow.

Of deleted calls only the daily totals remain. They are added by their day in UTC, and have no contacts and no flows.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.orm import Session

from glific_gpt.calls.daily_totals import OTHER_MODELS
from glific_gpt.usage.months import Month
from glific_gpt.usage.report_lines import ReportLine, read_deleted, read_line
from glific_gpt.usage.report_query import MAX_LINES, OTHER_FLOWS, select_report, select_totals

Key = TypeVar("Key", "str | None", "int | None")


@dataclass(frozen=True)
class MonthlyReport:
    """The report of one organization."""

    month: Month
    total: ReportLine
    """Includes `deleted`."""
    models: Mapping[str | None, ReportLine] = field(default_factory=dict)
    """By requested model, the most used first; includes deleted calls. None: no model was chosen."""
    flows: Mapping[int | None, ReportLine] = field(default_factory=dict)
    """By flow, the most used first. None: the call named no flow."""
    deleted: ReportLine = field(default_factory=ReportLine)
    """Calls of which only daily totals remain."""


def build_report(session: Session, organization_id: int, month: Month) -> MonthlyReport:
    """Build the report of an organization. One query."""
    total = ReportLine()
    by_model: dict[str | None, ReportLine] = {}
    by_flow: dict[int | None, ReportLine] = {}
    deleted: dict[str | None, ReportLine] = {}
    rows = session.execute(select_report(organization_id, month))
    for part, _organization, model, flow, failure, is_deferred, times, *numbers in rows:
        if part == "total":
            total = read_line(numbers)
        elif part == "model":
            by_model[model] = read_line(numbers)
        elif part == "flow":
            by_flow[flow] = read_line(numbers)
        else:
            line = read_deleted(failure, times, numbers, is_deferred=is_deferred)
            deleted[model] = deleted.get(model, ReportLine()) + line
    all_deleted = sum(deleted.values(), ReportLine())
    models = _sort(_add_deleted(by_model, deleted))
    return MonthlyReport(month, total + all_deleted, models, _sort(by_flow), all_deleted)


def build_totals(session: Session, organization_ids: Collection[int], month: Month) -> dict[int, MonthlyReport]:
    """Build the reports of organizations, by id, without models and flows. One query."""
    kept = dict.fromkeys(organization_ids, ReportLine())
    deleted = dict.fromkeys(organization_ids, ReportLine())
    rows = session.execute(select_totals(organization_ids, month))
    for part, organization, _model, _flow, failure, is_deferred, times, *numbers in rows:
        if part == "total":
            kept[organization] = read_line(numbers)
        else:
            deleted[organization] += read_deleted(failure, times, numbers, is_deferred=is_deferred)
    return {id_: MonthlyReport(month, kept[id_] + deleted[id_], deleted=deleted[id_]) for id_ in organization_ids}


def _add_deleted(
    lines: Mapping[str | None, ReportLine], deleted: Mapping[str | None, ReportLine]
) -> dict[str | None, ReportLine]:
    """Add the lines of deleted calls. Further models than MAX_LINES become OTHER_MODELS."""
    result = dict(lines)
    for model, line in sorted(deleted.items(), key=lambda item: (-item[1].calls, item[0] or "")):
        key = model if model is None or model in result or len(result) < MAX_LINES else OTHER_MODELS
        result[key] = result.get(key, ReportLine()) + line
    return result


def _sort(lines: Mapping[Key, ReportLine]) -> dict[Key, ReportLine]:
    """Return the lines, the most used first, and the line of all others last."""
    others = {OTHER_MODELS, OTHER_FLOWS}
    return dict(sorted(lines.items(), key=lambda item: (item[0] in others, -item[1].calls, str(item[0] or ""))))
