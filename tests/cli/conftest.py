"""The flask command in this process, with its own migrated database."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from flask import Flask

from glific_gpt.database import db
from tests.support.apps import create_app
from tests.support.databases import copy_template
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.settings import create_settings


@dataclass
class Commands:
    """Runs `flask ...` and collects everything that it prints."""

    app: Flask
    printed: str = field(default="")

    def run(self, *args: str, stdin: str | bytes = "", group: click.Group | None = None) -> Result:
        result = self.app.test_cli_runner().invoke(group, args=args, input=stdin)
        self.printed += result.output
        return result

    def text(self, *args: str, stdin: str = "") -> str:
        """Run a command and return its text output."""
        result = self.run(*args, stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def json(self, *args: str, stdin: str = "") -> Any:
        return json.loads(self.text(*args, "--json", stdin=stdin))

    def failure(self, *args: str, stdin: str | bytes = "", code: int = 1) -> str:
        """Return the one-line error message of a failing command, without click's usage lines."""
        result = self.run(*args, stdin=stdin)
        assert (result.exit_code, result.stdout) == (code, "")
        *usage, message = result.stderr.splitlines()
        assert code == 2 or not usage
        return message.removeprefix("Error: ")


@contextmanager
def commands(**settings: Any) -> Iterator[Commands]:
    app = create_app(create_settings(**settings))
    try:
        yield Commands(app)
    finally:
        logging.getLogger().handlers = []
        with app.app_context():
            db.engine.dispose()


OpenCommands = Callable[..., Commands]


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> str:
    return copy_template(sqlite_template, tmp_path)


@pytest.fixture
def flask_with(database: str, openai: OpenAIStandIn) -> Iterator[OpenCommands]:
    """Run commands with other settings than the defaults."""
    with ExitStack() as stack:
        defaults = {"database_url": database, "openai_base_url": openai.base_url}
        yield lambda **settings: stack.enter_context(commands(**(defaults | settings)))


@pytest.fixture
def flask(flask_with: OpenCommands) -> Commands:
    return flask_with()


@pytest.fixture
def seva(flask: Commands) -> str:
    """The slug of an organization without a key."""
    flask.text("organizations", "create", "seva", "--name", "Seva Trust")
    return "seva"
