"""The flask command in this process, on a migrated database of its own."""

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

from glific_gpt.app import create_app
from glific_gpt.database import db
from tests.support.databases import copy_of
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.settings import made_up_settings


@dataclass
class Commands:
    """`flask ...`, and everything that it has printed so far."""

    app: Flask
    printed: str = field(default="")

    def run(self, *args: str, stdin: str | bytes = "", group: click.Group | None = None) -> Result:
        result = self.app.test_cli_runner().invoke(group, args=args, input=stdin)
        self.printed += result.output
        return result

    def text(self, *args: str, stdin: str = "") -> str:
        """What a person reads."""
        result = self.run(*args, stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def json(self, *args: str, stdin: str = "") -> Any:
        return json.loads(self.text(*args, "--json", stdin=stdin))

    def failure(self, *args: str, stdin: str | bytes = "", code: int = 1) -> str:
        """The one line that a failing command leaves on standard error; click's hint on usage may stand before."""
        result = self.run(*args, stdin=stdin)
        assert (result.exit_code, result.stdout) == (code, "")
        *usage, sentence = result.stderr.splitlines()
        assert code == 2 or not usage
        return sentence.removeprefix("Error: ")


@contextmanager
def commands(**settings: Any) -> Iterator[Commands]:
    app = create_app(made_up_settings(**settings))
    try:
        yield Commands(app)
    finally:
        logging.getLogger().handlers = []
        with app.app_context():
            db.engine.dispose()


Open = Callable[..., Commands]


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> str:
    return copy_of(sqlite_template, tmp_path)


@pytest.fixture
def flask_with(database: str, openai: OpenAIStandIn) -> Iterator[Open]:
    """The command with other settings than usual."""
    with ExitStack() as stack:
        usual = {"database_url": database, "openai_base_url": openai.base_url}
        yield lambda **settings: stack.enter_context(commands(**(usual | settings)))


@pytest.fixture
def flask(flask_with: Open) -> Commands:
    return flask_with()


@pytest.fixture
def seva(flask: Commands) -> str:
    """The slug of an organization without a key."""
    flask.text("organizations", "create", "seva", "--name", "Seva Trust")
    return "seva"
