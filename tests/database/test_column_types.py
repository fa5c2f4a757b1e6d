"""Column types: values are the same on both databases, and exact."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import StatementError

from glific_gpt.database import transaction
from glific_gpt.database.base import Usd, UtcDateTime
from tests.support.server import RunningServer

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def round_trip(server: RunningServer, value: object, column_type: Any) -> Any:
    """Return the value as the database returns it."""
    with server.app.app_context(), transaction() as session:
        return session.scalar(sa.select(sa.bindparam("value", value, column_type)))


def test_a_time_is_returned_in_utc(server: RunningServer) -> None:
    for time in (NOON, NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))):
        returned = round_trip(server, time, UtcDateTime())
        assert (returned, returned.tzinfo) == (NOON, UTC)


def test_a_time_without_a_time_zone_is_refused(server: RunningServer) -> None:
    with pytest.raises(StatementError, match="needs a time zone"):
        round_trip(server, NOON.replace(tzinfo=None), UtcDateTime())


@pytest.mark.parametrize("usd", ["0.000000001", "123456.789012345"])
def test_an_amount_of_money_is_exact(server: RunningServer, usd: str) -> None:
    assert round_trip(server, Decimal(usd), Usd()) == Decimal(usd)
