"""Queries over the calls of an organization: pages, orders, counts, choices of filters, export."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from glific_gpt.calls import records
from glific_gpt.calls.filters import NO_FILTERS, Filters
from glific_gpt.calls.tables import CALL_ID, Call
from glific_gpt.clock import now
from glific_gpt.database import Usd, owned, reading, transaction
from glific_gpt.errors import NotFound

PAGE_SIZE = 100
MAX_EXPORTED_ROWS = 50_000
BATCH_SIZE = 1000
"""Rows that are read in one transaction, which ends before the first of them is yielded."""
RECENT_PERIOD = timedelta(days=90)
"""Values that no call had within this period are not offered as filters."""
RECENT_ROWS = 20_000
"""Newest calls that are read for the filters. The page is opened often, so it must not scan all calls."""
MAX_COUNTED = 10_000
"""Matching calls that are counted. The list says that there are more."""
MAX_SORTED = 20_000
"""Newest matching calls that are sorted by duration or cost. Sorting needs all of them, not only those of a page."""
MAX_FLOWS = 100
"""Flows that are offered as filters. Callers send the ids, so an organization can have any number of them."""
MAX_MODELS = 100
"""Models that are offered as filters. Callers choose the names, so an organization can have any number of them."""


class Order(StrEnum):
    """Orders of calls, the greatest value first. Calls without a value are the last."""

    NEWEST = "newest"
    DURATION = "duration"
    COST = "cost"

    @property
    def value_of_call(self) -> ColumnElement[Any]:
        """The value in SQL. Not for NEWEST."""
        if self is Order.COST:
            return func.coalesce(Call.cost_usd, literal(Decimal(-1), Usd()))
        return func.coalesce(Call.duration_ms, -1)


def list_calls(
    session: Session,
    organization_id: int,
    *,
    limit: int = PAGE_SIZE,
    before: str | None = None,
    filters: Filters = NO_FILTERS,
) -> list[Call]:
    """Mark interrupted calls, then return calls as `read_calls` does. The session must be able to write."""
    records.mark_interrupted(session)
    return read_calls(session, organization_id, limit=limit, before=before, filters=filters)


def read_calls(
    session: Session,
    organization_id: int,
    *,
    limit: int = PAGE_SIZE,
    before: str | None = None,
    filters: Filters = NO_FILTERS,
) -> list[Call]:
    """Return calls of an organization, newest first, older than the call with the id `before`.

    Raises NotFound for an unknown `before`.
    """
    before_id = None if before is None else _row_id(session, organization_id, before)
    return list_newest(session, organization_id, filters, limit, before_id)


def list_newest(
    session: Session, organization_id: int, filters: Filters, limit: int, before_id: int | None = None
) -> list[Call]:
    """Return calls, newest first, with a row id below `before_id`."""
    query = owned(Call, organization_id).where(*filters.conditions()).order_by(Call.id.desc()).limit(limit)
    return list(session.scalars(query if before_id is None else query.where(Call.id < before_id)))


def read_sorted(
    session: Session,
    organization_id: int,
    order: Order,
    *,
    limit: int = PAGE_SIZE,
    before: str | None = None,
    filters: Filters = NO_FILTERS,
) -> list[Call]:
    """Return calls in the given order, of the MAX_SORTED newest that match, after the call with the id `before`.

    Calls with the same value are in the order of their ages, the newest first. Raises NotFound for an unknown `before`.
    """
    if order is Order.NEWEST:
        return read_calls(session, organization_id, limit=limit, before=before, filters=filters)
    newest = select(Call.id).where(Call.organization_id == organization_id, *filters.conditions())
    query = owned(Call, organization_id).where(Call.id.in_(newest.order_by(Call.id.desc()).limit(MAX_SORTED)))
    if before is not None:
        row_id = _row_id(session, organization_id, before)
        value = session.scalar(select(order.value_of_call).where(Call.id == row_id))
        # As a literal with the type of the expression, because an amount is stored in another unit.
        shown = literal(value, order.value_of_call.type)
        query = query.where(or_(order.value_of_call < shown, and_(order.value_of_call == shown, Call.id < row_id)))
    return list(session.scalars(query.order_by(order.value_of_call.desc(), Call.id.desc()).limit(limit)))


def count_calls(session: Session, organization_id: int, filters: Filters = NO_FILTERS) -> int:
    """Return the number of matching calls, at most MAX_COUNTED and one."""
    matching = select(Call.id).where(Call.organization_id == organization_id, *filters.conditions())
    return session.scalar(select(func.count()).select_from(matching.limit(MAX_COUNTED + 1).subquery())) or 0


def recent_models(session: Session, organization_id: int) -> list[str]:
    """Return the MAX_MODELS models that most recent calls asked for or were answered by, in alphabetical order."""
    recent = _recent_calls(organization_id).cte("recent")
    asked, used = recent.c.model_asked.label("model"), recent.c.model_used.label("model")
    models = union_all(*(select(model).where(model.is_not(None)) for model in (asked, used))).subquery()
    most_used = select(models.c.model).group_by(models.c.model).order_by(func.count().desc(), models.c.model)
    return sorted(session.scalars(most_used.limit(MAX_MODELS)))


def recent_error_codes(session: Session, organization_id: int) -> list[str]:
    """Return the error codes of recent calls."""
    recent = _recent_calls(organization_id).subquery()
    return sorted(filter(None, session.scalars(select(recent.c.error_code).distinct())))


def recent_flow_ids(session: Session, organization_id: int) -> list[int]:
    """Return the MAX_FLOWS flows that most recent calls came from, in the order of their ids."""
    recent = _recent_calls(organization_id).subquery()
    most_used = select(recent.c.flow_id).where(recent.c.flow_id.is_not(None)).group_by(recent.c.flow_id)
    return sorted(session.scalars(most_used.order_by(func.count().desc(), recent.c.flow_id).limit(MAX_FLOWS)))


def iterate_calls(
    organization_id: int, filters: Filters = NO_FILTERS, *, limit: int = MAX_EXPORTED_ROWS, batch: int = BATCH_SIZE
) -> Iterator[Call]:
    """Yield calls, newest first, in short transactions. Calls that arrive during the export are not included."""
    with transaction() as session:
        records.mark_interrupted(session)
    before_id = None
    while limit > 0:
        wanted = min(limit, batch)
        # By id instead of OFFSET: calls that arrive during the export would shift the pages.
        with reading(organization_id) as session:
            found = list_newest(session, organization_id, filters, wanted, before_id)
        yield from found
        if len(found) < wanted:
            return
        before_id, limit = found[-1].id, limit - wanted


def _recent_calls(organization_id: int) -> Select[str | None, str | None, str | None, int | None]:
    return (
        select(Call.model_asked, Call.model_used, Call.error_code, Call.flow_id)
        .where(Call.organization_id == organization_id, Call.started_at >= now() - RECENT_PERIOD)
        .order_by(Call.started_at.desc())
        .limit(RECENT_ROWS)
    )


def _row_id(session: Session, organization_id: int, call_id: str) -> int:
    query = select(Call.id).where(Call.organization_id == organization_id, Call.call_id == call_id)
    # PostgreSQL refuses a parameter with a NUL character, so only well-formed ids are looked up.
    found = session.scalar(query) if re.fullmatch(CALL_ID, call_id) else None
    if found is None:
        raise NotFound("There is no call with this id.")
    return found
