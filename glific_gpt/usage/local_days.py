"""Days in a time zone: periods of them, and the day of a call in SQL.

The hours of a day that differ from UTC come from Python alone, so that both databases find the same days.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from glific_gpt.calls.tables import Call
from glific_gpt.clock import midnight

ONE_DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Period:
    """Whole days in a time zone."""

    first: date
    following: date
    """The day after the last one."""
    zone: tzinfo

    @property
    def start(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return midnight(self.following, self.zone)


class _ShiftedDay(FunctionElement[Any]):
    """The day of a time in UTC to which a number of seconds is added: text on SQLite, a date on PostgreSQL."""

    name = "shifted_day"
    inherit_cache = True


@compiles(_ShiftedDay, "sqlite")
def _compile_for_sqlite(element: _ShiftedDay, compiler: SQLCompiler, **options: Any) -> str:
    moment, seconds = (compiler.process(part, **options) for part in element.clauses)
    # Without the fraction of the second: SQLite would round the last half millisecond of a day to the next day.
    return f"date(substr({moment}, 1, 19), ({seconds}) || ' seconds')"


@compiles(_ShiftedDay, "postgresql")
def _compile_for_postgresql(element: _ShiftedDay, compiler: SQLCompiler, **options: Any) -> str:
    moment, seconds = (compiler.process(part, **options) for part in element.clauses)
    return f"date({moment} + ({seconds}) * interval '1 second')"


def day_of_call(period: Period) -> ColumnElement[Any]:
    """Return the day of a call of this period in SQL. `daily_totals.to_date` converts its value."""
    first, *changes = _list_offsets(period)
    seconds: ColumnElement[int] = literal(first[1], Integer)
    for moment, offset in changes:
        seconds = case((Call.started_at >= moment, literal(offset, Integer)), else_=seconds)
    return _ShiftedDay(Call.started_at, seconds)


def _list_offsets(period: Period) -> Iterator[tuple[datetime, int]]:
    """Yield the start of the period, and each time at which the clocks change, with the seconds by which UTC is behind.

    Clocks change at most once a day.
    """
    at, zone = period.start, period.zone
    yield at, _offset(at, zone)
    while at < period.end:
        following = at + ONE_DAY
        if _offset(at, zone) != _offset(following, zone):
            change = _find_change(at, following, zone)
            yield change, _offset(change, zone)
        at = following


def _find_change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the first second after `before` with the offset of `after`."""
    while after - before > SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if _offset(middle, zone) == _offset(before, zone) else (before, middle)
    return after


def _offset(at: datetime, zone: tzinfo) -> int:
    offset = at.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
