"""Choices of the time zone of an organization."""

from flask_babel import gettext as _

from glific_gpt.organizations import time_zones

INDIA = "Asia/Kolkata"
"""Offered first, because most organizations are in India."""


def time_zone_choices(saved_name: str | None) -> list[tuple[str, str]]:
    """Return UTC, India and the time zones of all places. The saved one stays a choice, whatever it is."""
    places = {name for name in time_zones.list_names() if "/" in name and not name.startswith("Etc/")}
    saved = {saved_name} if saved_name else set()
    others = sorted((places | saved) - {INDIA, time_zones.UTC_NAME})
    return [
        ("", _("UTC")),
        (INDIA, _("India (Asia/Kolkata)")),
        # A name is a text of the database itself, so it is not translated.
        *((name, name) for name in others),
        *((name, name) for name in saved & {time_zones.UTC_NAME}),
    ]
