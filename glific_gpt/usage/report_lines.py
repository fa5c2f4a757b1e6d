"""Lines of the monthly report: numbers of a group of calls, kept or deleted."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from glific_gpt.calls.daily_totals import RESOLUTION_MS

GLIFIC_TIMEOUT_MS = 5000


@dataclass(frozen=True)
class ReportLine:
    """Numbers of a group of calls."""

    calls: int = 0
    answered: int = 0
    in_time: int = 0
    """Number of answers that reached the flow while it waited."""
    failures: int = 0
    people: int = 0
    """Number of different contacts with an answer."""
    tests: int = 0
    """Number of test questions of the console and the doctor, which are calls too."""
    forgotten: int = 0
    """Number of calls whose contact is forgotten, so that it cannot be counted."""
    tokens: int = 0
    unpriced: int = 0
    """Number of calls that used tokens of an unknown price."""
    cost_usd: Decimal = Decimal(0)
    """Cost of the calls with a known price."""

    @property
    def in_time_share(self) -> float:
        """Share of calls that were answered in time, between 0 and 1."""
        return self.in_time / self.calls if self.calls else 0.0

    def __add__(self, other: "ReportLine") -> "ReportLine":
        """Add the numbers of other calls. The sum of people is right only if no contact is in both groups."""
        return ReportLine(*(own + others for own, others in zip(astuple(self), astuple(other), strict=True)))


def read_line(numbers: Iterable[Any]) -> ReportLine:
    """Return the line with these numbers, in the order of its fields. NULL counts as zero."""
    *counts, cost_usd = (value or 0 for value in numbers)
    calls, answered, in_time, failures, people, tests, forgotten, tokens, unpriced = map(int, counts)
    return ReportLine(calls, answered, in_time, failures, people, tests, forgotten, tokens, unpriced, Decimal(cost_usd))


def read_deleted(
    failure: str | None, times: Mapping[str, int], numbers: Iterable[Any], *, is_deferred: bool
) -> ReportLine:
    """Return the line of daily totals, which have no contacts, tests and outcomes of their own."""
    line = read_line(numbers)
    if failure:
        return line + ReportLine(failures=line.calls)
    # Calls in progress are not deleted, so those without a failure have an answer.
    in_time = line.calls if is_deferred else _count_in_time(times)
    return line + ReportLine(answered=line.calls, in_time=in_time)


def _count_in_time(answer_times: Mapping[str, int]) -> int:
    return sum(calls for step, calls in answer_times.items() if int(step) * RESOLUTION_MS < GLIFIC_TIMEOUT_MS)
