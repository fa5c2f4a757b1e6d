"""Secrets come in through standard input alone: an option's value stays in the shell's history."""

import sys

import click

from glific_gpt.errors import InvalidValue


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
