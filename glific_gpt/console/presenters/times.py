"""Times as people read them: in the time zone of the organization that the page belongs to."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import g
from flask_babel import format_date, format_time

from glific_gpt.organizations.time_zones import UTC_NAME, find_zone


def page_zone() -> ZoneInfo | None:
    """Return the time zone of this page; None for a page of no organization, whose times the browser converts."""
    organization = g.get("organization")
    return find_zone(organization.time_zone) if organization else None


def format_moment(at: datetime, zone: ZoneInfo) -> str:
    """Format a time, such as 3 May 2026, 2:05 pm. UTC is named, because it is nobody's own time."""
    local = at.astimezone(zone)
    text = f"{format_date(local, 'medium', rebase=False)}, {format_time(local, 'short', rebase=False)}"
    return f"{text} {UTC_NAME}" if zone.key == UTC_NAME else text
