"""Errors: a one-line message and an exit code."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from glific_gpt.cli.group import Group
from glific_gpt.database.failures import MIGRATIONS_MISSING
from tests.cli.conftest import Commands, OpenCommands


def test_an_unknown_organization_is_an_error(flask: Commands) -> None:
    for command in (
        ["organizations", "show"],
        ["organizations", "activate"],
        ["tokens", "list"],
        ["signature", "clear"],
        ["credentials", "show"],
        ["glific", "show"],
        ["models", "list"],
        ["calls", "list"],
    ):
        assert flask.failure(*command, "nobody") == "There is no organization nobody. Check the slug."
        assert flask.failure(*command, "nobody", "--json") == "There is no organization nobody. Check the slug."


def test_it_asks_for_migrations_if_there_are_no_tables(flask_with: OpenCommands, tmp_path: Path) -> None:
    flask = flask_with(database_url=f"sqlite:///{tmp_path}/empty.db")
    assert flask.failure("organizations", "list") == MIGRATIONS_MISSING.message
    assert flask.failure("calls", "list", "seva", "--json") == MIGRATIONS_MISSING.message
    assert flask.run("db", "upgrade").exit_code == 0
    assert flask.json("organizations", "list") == []


def test_it_asks_for_migrations_if_one_is_missing(flask: Commands, database: str) -> None:
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    engine.dispose()
    assert flask.failure("organizations", "create", "seva", "--name", "Seva") == MIGRATIONS_MISSING.message


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql+psycopg://someone:hunter2hunter2@127.0.0.1:1/db", "No database accepts connections"),
        ("sqlite:////no-such-folder/x.db", "The database's file cannot be opened"),
    ],
)
def test_an_unavailable_database_is_an_error_without_its_address(
    flask_with: OpenCommands, url: str, message: str
) -> None:
    flask = flask_with(database_url=url)
    for command in (["organizations", "list"], ["credentials", "rotate"], ["db", "upgrade"], ["db", "current"]):
        assert flask.failure(*command).startswith(message)
    for part in ("hunter2", "someone", "127.0.0.1", "no-such-folder"):
        assert part not in flask.printed


def test_an_unexpected_error_shows_only_its_class(flask: Commands) -> None:
    group = Group("probe")

    @group.command("break", needs_database=False)
    def break_() -> None:
        raise KeyError("sk-secret")

    result = flask.run("break", group=group)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: The command failed unexpectedly (KeyError). Run it with 'flask --debug ...' to see the traceback.\n"
    )


def test_debug_mode_shows_the_traceback(flask: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    group = Group("probe")

    @group.command("break", needs_database=False)
    def break_() -> None:
        raise KeyError("where")

    assert isinstance(flask.run("break", group=group).exception, KeyError)


def test_invalid_arguments_are_usage_errors(flask: Commands) -> None:
    assert flask.failure("organizations", "show", code=2) == "Missing argument 'SLUG'."
    assert flask.failure("calls", "list", "seva", "--limit", "0", code=2).startswith("Invalid value for '--limit'")


@pytest.mark.parametrize(
    "group", ["organizations", "tokens", "api-tokens", "signature", "credentials", "glific", "models", "calls"]
)
def test_the_help_of_a_group_has_an_example_and_describes_its_commands(flask: Commands, group: str) -> None:
    shown = flask.text(group, "--help")
    example = shown.split("Example:")[1].split("Options:")[0]
    assert f"flask {group}" in example
    listed = shown.split("Commands:\n")[1].splitlines()
    assert listed
    assert all(len(line.split()) > 3 and line.endswith(".") for line in listed)
