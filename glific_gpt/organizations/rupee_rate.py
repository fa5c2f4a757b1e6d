"""Rate at which reports show costs in Indian rupees. Administrators set it, with the date that it is from."""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import insert_if_absent
from glific_gpt.errors import N_, InvalidValue
from glific_gpt.organizations.server_models import ROW_ID
from glific_gpt.organizations.tables import ServerSettings

HIGHEST_RATE = 10_000
DECIMAL_PLACES = 4
MSG_RATE = N_(
    "Enter the rupees for one US dollar, such as 88.45: more than 0, at most 10,000, with 4 decimals at most."
)
MSG_DATE = N_("Enter the date of the rate. It cannot be in the future.")


class RupeeRate(NamedTuple):
    """Rupees for one US dollar on a day."""

    rupees: Decimal
    day: date

    def convert(self, dollars: Decimal) -> Decimal:
        return self.rupees * dollars


def find_rate(session: Session) -> RupeeRate | None:
    """Return the rate; None if no administrator has set one."""
    row = session.execute(
        select(ServerSettings.rupees_per_dollar, ServerSettings.rupee_rate_date).where(ServerSettings.id == ROW_ID)
    ).one_or_none()
    if row is None or row[0] is None or row[1] is None:
        return None
    return RupeeRate(row[0], row[1])


def set_rate(session: Session, rate: RupeeRate) -> None:
    """Set the rate. Raises InvalidValue."""
    is_valid = rate.rupees.is_finite() and 0 < rate.rupees <= HIGHEST_RATE
    if not is_valid or rate.rupees != round(rate.rupees, DECIMAL_PLACES):
        raise InvalidValue(MSG_RATE)
    # Tomorrow in UTC is today in parts of the world.
    if rate.day > now().date() + timedelta(days=1):
        raise InvalidValue(MSG_DATE)
    if _store(session, rate):
        trail.record(session, Action.RUPEE_RATE_SET, rupees=f"{rate.rupees.normalize():f}", day=rate.day.isoformat())


def remove_rate(session: Session) -> None:
    """Remove the rate, so that reports show dollars only."""
    if _store(session, None):
        trail.record(session, Action.RUPEE_RATE_REMOVED)


def _store(session: Session, rate: RupeeRate | None) -> bool:
    """Store the rate, and return False if it was stored already."""
    if find_rate(session) == rate:
        return False
    rupees, day = rate or (None, None)
    row = ServerSettings(
        id=ROW_ID, allowed_models=None, require_two_factor=False, rupees_per_dollar=rupees, rupee_rate_date=day
    )
    if not insert_if_absent(session, row):
        stored = session.get_one(ServerSettings, ROW_ID)
        stored.rupees_per_dollar, stored.rupee_rate_date = rupees, day
    return True
