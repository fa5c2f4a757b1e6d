"""The commands, as in 'flask organizations list'."""

from flask import Flask


def register(app: Flask) -> None:
    """Gives the app its commands."""
