"""Secrets come in through standard input alone: an option's value stays in the shell's history."""

import sys

import click
from pydantic import TypeAdapter, ValidationError

from glific_gpt.errors import InvalidValue
from glific_gpt.organizations.changes import Label


def read_secret(prompt: str) -> str:
    """All of standard input but its last line break; at a terminal it is asked for and not shown.

    Raises InvalidValue for bytes that are no text.
    """
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, err=True))
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise InvalidValue("What came on standard input is not text in UTF-8.") from None
    return text.removesuffix("\n").removesuffix("\r")


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
