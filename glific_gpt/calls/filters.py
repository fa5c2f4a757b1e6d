"""Filters of an organization's calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta, tzinfo

from sqlalchemy import ColumnElement, or_

from glific_gpt.calls.tables import Call
from glific_gpt.clock import midnight

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Filters:
    """Conditions on calls; None matches every call."""

    status: str | None = None
    first_day: date | None = None
    """Days are in the time zone `zone`, and the last day is included."""
    last_day: date | None = None
    zone: tzinfo = UTC
    model: str | None = None
    """Matches the model that was asked and the model that answered."""
    error_code: str | None = None
    flow_id: int | None = None
    """Glific's id of the flow."""
    call_id: str | None = None
    """The whole id, in the format CALL_ID."""
    contact_or_flow_id: int | None = None
    """Glific's id of a contact or of a flow: people copy such a number without its kind."""
    is_test: bool | None = None
    """Calls of releases that did not record it are no test questions."""

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        exact = {
            Call.status: self.status,
            Call.error_code: self.error_code,
            Call.flow_id: self.flow_id,
            Call.call_id: self.call_id,
        }
        yield from (column == value for column, value in exact.items() if value is not None)
        yield from self._days()
        if self.model is not None:
            yield or_(Call.model_asked == self.model, Call.model_used == self.model)
        if (number := self.contact_or_flow_id) is not None:
            yield or_(Call.contact_id == number, Call.flow_id == number)
        if self.is_test is not None:
            yield Call.is_test.is_(True) if self.is_test else Call.is_test.is_not(True)

    def _days(self) -> Iterator[ColumnElement[bool]]:
        if self.first_day is not None:
            yield Call.started_at >= midnight(self.first_day, self.zone)
        if self.last_day is not None and self.last_day < date.max:  # Python has no day after date.max
            yield Call.started_at < midnight(self.last_day + DAY, self.zone)


NO_FILTERS = Filters()
