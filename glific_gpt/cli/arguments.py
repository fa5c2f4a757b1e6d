"""Arguments and options of several commands, and secrets from standard input."""

import sys

import click
from pydantic import TypeAdapter, ValidationError

from glific_gpt.errors import InvalidValue
from glific_gpt.organizations.changes import Label


def read_secret(prompt: str) -> str:
    """Read a secret from standard input, without its last line break. At a terminal, prompt without echo.

    Options are not used for secrets, because the shell keeps them in its history. Raises InvalidValue if the input is
    not UTF-8.
    """
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, err=True))
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise InvalidValue("Standard input is not UTF-8 text. Save the secret in a UTF-8 file.") from None
    return text.removesuffix("\n").removesuffix("\r")


_LABEL: TypeAdapter[str] = TypeAdapter(Label)


def _validate_label(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return _LABEL.validate_python(value)
    except ValidationError:
        raise click.BadParameter("a label must have 1 to 100 characters.") from None


slug = click.argument("slug")
"""The organization's name in addresses."""

label = click.option(
    "--label", required=True, callback=_validate_label, help="A name for the token, such as its purpose."
)

# The largest id that an INTEGER column of PostgreSQL holds.
token_id = click.argument("token_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))
