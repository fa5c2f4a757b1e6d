"""Arguments and options that several commands share."""

import click
from pydantic import TypeAdapter, ValidationError

from glific_gpt.organizations.changes import Label

_LABEL: TypeAdapter[str] = TypeAdapter(Label)


def _checked_label(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return _LABEL.validate_python(value)
    except ValidationError:
        raise click.BadParameter("a label has 1 to 100 characters.") from None


slug = click.argument("slug")
"""The organization."""

label = click.option(
    "--label", required=True, callback=_checked_label, help="What it is for, so that you know it again."
)

# The largest id that every database can be asked for.
token_id = click.argument("token_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))
