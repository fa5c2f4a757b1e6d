"""Confirmation of a deletion: the name of what is deleted has to be typed."""

import sys

import click

MSG_NO_TERMINAL = (
    "Nobody can confirm the deletion, because there is no terminal. Add --yes to delete without a question."
)


def confirm_by_typing(name: str, explanation: str) -> None:
    """Show the explanation and ask for the name. Raises click.ClickException for any other text."""
    if not sys.stdin.isatty():
        raise click.ClickException(MSG_NO_TERMINAL)
    click.echo(explanation, err=True)
    typed = click.prompt(f"Type {name} to continue", default="", show_default=False, err=True)
    if typed.strip() != name:
        raise click.ClickException(f"This is not {name}. Nothing was deleted.")
