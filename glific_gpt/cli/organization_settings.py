"""Options of `flask organizations set`: for each setting one to set it and one to reset it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import click

from glific_gpt.organizations.changes import OrganizationChanges, validate_changes


class Setting(NamedTuple):
    """A setting that can be reset to its default."""

    field: str
    metavar: str
    help: str
    reset_help: str
    """Help of the option --no-..."""
    kind: type[int] | type[str] = str

    @property
    def option(self) -> str:
        return self.field.replace("_", "-")


SETTINGS = (
    Setting("default_model", "MODEL", "The default model.", "Use the server's default model."),
    Setting(
        "fallback_model",
        "MODEL",
        "The model that is asked once when OpenAI refuses or limits the flow's model, or fails, and time is left.",
        "Ask no other model.",
    ),
    Setting("fallback_message", "TEXT", "The message when there is no answer.", "Use the server's message."),
    Setting(
        "glific_organization_id",
        "N",
        "Its id in Glific. Calls with another id are refused.",
        "Do not check the id.",
        int,
    ),
    Setting("contact_daily_limit", "N", "Maximum answers per contact in 24 hours.", "Remove the limit.", int),
    Setting("calls_per_minute", "N", "Maximum calls per minute.", "Remove the limit.", int),
    Setting("contact_calls_per_minute", "N", "Maximum calls per minute of one contact.", "Remove the limit.", int),
    Setting("monthly_budget_usd", "N", "Budget in US dollars per calendar month (UTC).", "Remove the budget."),
    Setting("alert_email", "A", "An e-mail address that gets alerts beside the owners.", "Send alerts to owners only."),
    Setting("time_zone", "NAME", "Time zone of reports, such as Asia/Kolkata.", "Use UTC."),
    Setting("vector_store_id", "ID", "Vector store that filesearch-gpt searches.", "Let each call name its store."),
    Setting(
        "memory_hours", "N", "Hours in which a conversation can be continued.", "Use the default of 24 hours.", int
    ),
)


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command. `parse_changes` reads their values."""
    # Click lists the option that was added last first, so --help has the order of SETTINGS.
    for setting in reversed(SETTINGS):
        reset_option = click.option(f"--no-{setting.option}", is_flag=True, help=setting.reset_help)
        set_option = click.option(f"--{setting.option}", metavar=setting.metavar, type=setting.kind, help=setting.help)
        command = set_option(reset_option(command))
    command = click.option(
        "--fetch-images/--no-fetch-images",
        default=None,
        help="Download the images of calls here. OpenAI does it otherwise.",
    )(command)
    # The default None means that the option was not given. With False, each change of another setting would also switch
    # the requirement off.
    command = click.option(
        "--require-signature/--no-require-signature",
        default=None,
        help="Require Glific's signature. A webhook token is then not enough.",
    )(command)
    return click.option("--name", help="The display name.")(command)


def parse_changes(given: Mapping[str, Any]) -> OrganizationChanges:
    """Return the changes. Raises InvalidValue, and click.UsageError if no option or two contrary options are given."""
    reset = {setting.field for setting in SETTINGS if given[f"no_{setting.field}"]}
    fields = ("name", "require_signature", "fetch_images", *(setting.field for setting in SETTINGS))
    values = {field: given[field] for field in fields if given[field] is not None}
    for setting in SETTINGS:
        if setting.field in reset & values.keys():
            raise click.UsageError(f"Give --{setting.option} or --no-{setting.option}, not both.")
    if not values and not reset:
        raise click.UsageError("Give at least one option, for example --default-model gpt-4o-mini.")
    return validate_changes(**values, **dict.fromkeys(reset))
