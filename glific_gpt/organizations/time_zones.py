"""Time zones of organizations, by their names in the IANA time zone database."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

UTC_NAME = "UTC"
UNSUITABLE = {"localtime", "Factory"}
"""Names that mean another time zone on each computer, or none."""


@lru_cache(maxsize=1)
def list_names() -> frozenset[str]:
    """Return the names that an organization can choose."""
    return frozenset(available_timezones() - UNSUITABLE)


def find_zone(name: str | None) -> ZoneInfo:
    """Return the time zone of this name; UTC without a name, or for one that this computer does not know any more."""
    try:
        return ZoneInfo(name or UTC_NAME)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(UTC_NAME)
