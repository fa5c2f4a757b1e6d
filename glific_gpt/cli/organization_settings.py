"""The options of 'flask organizations set': one to set each setting, and one to take it back."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import click

from glific_gpt.organizations.changes import OrganizationChanges, checked


class Setting(NamedTuple):
    """A setting that can be taken back to its default."""

    field: str
    metavar: str
    meaning: str
    without: str
    """What --no-... is for."""
    kind: type[int] | type[str] = str

    @property
    def option(self) -> str:
        return self.field.replace("_", "-")


SETTINGS = (
    Setting("default_model", "MODEL", "The model of calls that name none.", "Use the server's default model."),
    Setting("fallback_message", "TEXT", "What people read when a call failed.", "Use the server's text."),
    Setting("glific_organization_id", "N", "Its id in Glific, which calls must carry.", "Do not check the id.", int),
    Setting("contact_daily_limit", "N", "Answers for one contact in 24 hours.", "Set no limit.", int),
    Setting("monthly_budget_usd", "N", "US dollars that a calendar month (UTC) may cost.", "Set no budget."),
)


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; their values are what changed() takes."""
    for setting in reversed(SETTINGS):
        back = click.option(f"--no-{setting.option}", is_flag=True, help=setting.without)
        there = click.option(f"--{setting.option}", metavar=setting.metavar, type=setting.kind, help=setting.meaning)
        command = there(back(command))
    command = click.option(
        "--require-signature/--no-require-signature",
        default=None,
        help="Whether a webhook token alone is not enough.",
    )(command)
    return click.option("--name", help="Its name for people.")(command)


def changed(given: Mapping[str, Any]) -> OrganizationChanges:
    """What to change. Raises InvalidValue, and click's UsageError for options that say nothing or two things."""
    taken_back = {setting.field for setting in SETTINGS if given[f"no_{setting.field}"]}
    fields = ("name", "require_signature", *(setting.field for setting in SETTINGS))
    values = {field: given[field] for field in fields if given[field] is not None}
    for setting in SETTINGS:
        if setting.field in taken_back & values.keys():
            raise click.UsageError(f"Give --{setting.option} or --no-{setting.option}, not both.")
    if not values and not taken_back:
        raise click.UsageError("Say what to set, as in --default-model gpt-4o-mini.")
    return checked(**values, **dict.fromkeys(taken_back))
