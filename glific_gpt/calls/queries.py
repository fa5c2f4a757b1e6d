"""Search: which calls of an organization are looked for, and what there is to choose from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from glific_gpt.calls import records
from glific_gpt.calls.tables import CALL_ID, Call
from glific_gpt.clock import now
from glific_gpt.database import owned, reading, transaction
from glific_gpt.errors import NotFound

DAY = timedelta(days=1)
RECENT_PERIOD = timedelta(days=90)
"""What no call had for longer is no choice any more."""
RECENT_ROWS = 20_000
"""So many of the newest calls are looked at for choices: the list is shown often, and must not count all of them."""


@dataclass(frozen=True)
class Filters:
    """What a call must be like; None is anything."""

    status: str | None = None
    first_day: date | None = None
    """Days are UTC, and the last one counts as a whole."""
    last_day: date | None = None
    model: str | None = None
    """The one that the call was to use, or the one that OpenAI says it used."""
    error_code: str | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.status is not None:
            yield Call.status == self.status
        if self.first_day is not None:
            yield Call.started_at >= _midnight(self.first_day)
        if self.last_day is not None and self.last_day < date.max:
            yield Call.started_at < _midnight(self.last_day + DAY)
        if self.model is not None:
            yield or_(Call.model_asked == self.model, Call.model_used == self.model)
        if self.error_code is not None:
            yield Call.error_code == self.error_code


NO_FILTERS = Filters()


def page(
    session: Session,
    organization_id: int,
    *,
    limit: int,
    before: str | None = None,
    filters: Filters = NO_FILTERS,
) -> list[Call]:
    """Calls of an organization, newest first; those before the call of that id. Raises NotFound for an unknown one."""
    before_id = None if before is None else _row_id(session, organization_id, before)
    return newest(session, organization_id, filters, limit, before_id)


def newest(
    session: Session, organization_id: int, filters: Filters, limit: int, before_id: int | None = None
) -> list[Call]:
    """The newest first; those before the row of that id."""
    query = owned(Call, organization_id).where(*filters.conditions()).order_by(Call.id.desc()).limit(limit)
    return list(session.scalars(query if before_id is None else query.where(Call.id < before_id)))


def recent_models(session: Session, organization_id: int) -> list[str]:
    """Every model that calls of late were to use or have used."""
    lately = _lately(organization_id).subquery()
    pairs = session.execute(select(lately.c.model_asked, lately.c.model_used).distinct())
    return sorted({model for pair in pairs for model in pair if model})


def recent_error_codes(session: Session, organization_id: int) -> list[str]:
    """Every error_code of calls of late."""
    lately = _lately(organization_id).subquery()
    return sorted(filter(None, session.scalars(select(lately.c.error_code).distinct())))


def _lately(organization_id: int) -> Select[str | None, str | None, str | None]:
    return (
        select(Call.model_asked, Call.model_used, Call.error_code)
        .where(Call.organization_id == organization_id, Call.started_at >= now() - RECENT_PERIOD)
        .order_by(Call.started_at.desc())
        .limit(RECENT_ROWS)
    )


def _row_id(session: Session, organization_id: int, call_id: str) -> int:
    query = select(Call.id).where(Call.organization_id == organization_id, Call.call_id == call_id)
    # Not every database can be asked for every text.
    found = session.scalar(query) if re.fullmatch(CALL_ID, call_id) else None
    if found is None:
        raise NotFound("There is no call of that id to go on from.")
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


MAX_EXPORTED_ROWS = 50_000
BATCH_SIZE = 1000
"""How many are read in one transaction, which ends before the first of them is handed on."""


def iterate_calls(
    organization_id: int, filters: Filters = NO_FILTERS, *, limit: int = MAX_EXPORTED_ROWS, batch: int = BATCH_SIZE
) -> Iterator[Call]:
    """Calls, newest first, while somebody takes them; what comes in meanwhile is not among them."""
    with transaction() as session:
        records.mark_interrupted(session)
    before_id = None
    while limit > 0:
        wanted = min(limit, batch)
        with reading() as session:
            found = newest(session, organization_id, filters, wanted, before_id)
        yield from found
        if len(found) < wanted:
            return
        before_id, limit = found[-1].id, limit - wanted
