"""Failures: one sentence and an exit code, whatever went wrong."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from glific_gpt.cli.group import BEHIND, Group
from tests.cli.conftest import Commands, Open


def test_it_says_that_an_organization_is_not_there(flask: Commands) -> None:
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
        assert flask.failure(*command, "nobody") == "There is no organization nobody."
        assert flask.failure(*command, "nobody", "--json") == "There is no organization nobody."


def test_it_asks_for_migrations_where_there_are_no_tables(flask_with: Open, tmp_path: Path) -> None:
    flask = flask_with(database_url=f"sqlite:///{tmp_path}/empty.db")
    assert flask.failure("organizations", "list") == BEHIND
    assert flask.failure("calls", "list", "seva", "--json") == BEHIND
    assert flask.run("db", "upgrade").exit_code == 0
    assert flask.json("organizations", "list") == []


def test_it_asks_for_migrations_where_one_is_missing(flask: Commands, database: str) -> None:
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    engine.dispose()
    assert flask.failure("organizations", "create", "seva", "--name", "Seva") == BEHIND


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://someone:hunter2hunter2@127.0.0.1:1/db", "sqlite:////no-such-folder/x.db"]
)
def test_it_says_that_the_database_cannot_be_used_and_not_where_it_is(flask_with: Open, url: str) -> None:
    flask = flask_with(database_url=url)
    for command in (["organizations", "list"], ["credentials", "rotate"], ["db", "upgrade"], ["db", "current"]):
        assert flask.failure(*command).startswith("The database cannot be used (OperationalError)")
    for part in ("hunter2", "someone", "127.0.0.1", "no-such-folder"):
        assert part not in flask.printed


def test_it_says_of_a_failure_that_nobody_thought_of_only_its_kind(flask: Commands) -> None:
    group = Group("probe")

    @group.command("break", needs_database=False)
    def break_() -> None:
        raise KeyError("sk-secret")

    result = flask.run("break", group=group)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: The command broke in a way that nobody thought of (KeyError): 'flask --debug ...' shows where.\n"
    )


def test_it_shows_where_a_command_broke_to_somebody_who_debugs(
    flask: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    group = Group("probe")

    @group.command("break", needs_database=False)
    def break_() -> None:
        raise KeyError("where")

    assert isinstance(flask.run("break", group=group).exception, KeyError)


def test_a_command_that_is_used_wrongly_gets_its_usage(flask: Commands) -> None:
    assert flask.failure("organizations", "show", code=2) == "Missing argument 'SLUG'."
    assert flask.failure("calls", "list", "seva", "--limit", "0", code=2).startswith("Invalid value for '--limit'")


@pytest.mark.parametrize(
    "group", ["organizations", "tokens", "api-tokens", "signature", "credentials", "glific", "models", "calls"]
)
def test_a_group_shows_an_example_and_says_what_each_command_does(flask: Commands, group: str) -> None:
    shown = flask.text(group, "--help")
    example = shown.split("Example:")[1].split("Options:")[0]
    assert f"flask {group}" in example
    listed = shown.split("Commands:\n")[1].splitlines()
    assert listed
    assert all(len(line.split()) > 3 and line.endswith(".") for line in listed)
