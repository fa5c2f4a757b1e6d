"""The program `flask`, which is Flask's own with the version of this server."""

import os

import click
from flask.cli import FlaskGroup

from glific_gpt import __version__

HELP = "Commands of glific_gpt. Each has --help."


def main() -> None:
    """Run a command. The app is wsgi.py of the current folder, or the installed one if the folder has none."""
    os.environ.setdefault("FLASK_APP", "wsgi")
    version = click.version_option(__version__, message="%(version)s", help="Show the version of glific_gpt.")
    program = version(FlaskGroup(name="flask", help=HELP, add_version_option=False))
    program.main(prog_name="flask")


if __name__ == "__main__":
    main()
