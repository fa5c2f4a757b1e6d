"""flask db: a downgrade that deletes data asks first, and an upgrade says why it failed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from glific_gpt.cli.migrations import MSG_NEWER
from glific_gpt.database import db, migrations
from glific_gpt.database.losses import list_losses
from tests.cli.conftest import Commands, OpenCommands
from tests.support import databases
from tests.support.programs import ROOT, clean_environment
from tests.support.serving import SECRET_KEY, to_environment
from tests.support.settings import ENCRYPTION_KEY

NEWEST = f"{migrations.newest():04}"


def revision(flask: Commands) -> str:
    with flask.app.app_context(), db.engine.connect() as connection:
        return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))


def test_a_downgrade_that_deletes_data_names_it_and_does_nothing_without_a_yes(flask: Commands) -> None:
    for answer in ("n\n", ""):
        result = flask.run("db", "downgrade", "0012", stdin=answer)
        assert result.exit_code == 1
        assert "the column calls.cause, with everything in there." in result.stderr
    assert revision(flask) == NEWEST


@pytest.mark.parametrize(("arguments", "answer"), [(["0012"], "y\n"), (["0012", "--yes"], "")])
def test_it_goes_on_after_a_yes(flask: Commands, arguments: list[str], answer: str) -> None:
    assert flask.run("db", "downgrade", *arguments, stdin=answer).exit_code == 0
    assert revision(flask) == "0012"


def test_a_downgrade_that_deletes_nothing_does_not_ask(flask: Commands) -> None:
    flask.run("db", "downgrade", "0011", "--yes")
    assert flask.run("db", "downgrade").exit_code == 0
    assert revision(flask) == "0010"


@pytest.mark.parametrize("target", ["0013-1", f"head-{migrations.newest() - 12}", "0012", "00"])
def test_each_way_to_name_the_target_asks(flask: Commands, target: str) -> None:
    result = flask.run("db", "downgrade", target, stdin="n\n")
    assert (result.exit_code, "calls.cause" in result.stderr) == (1, True)


def test_a_downgrade_of_an_empty_database_asks_nothing(flask_with: OpenCommands, tmp_path: Path) -> None:
    flask = flask_with(database_url=f"sqlite:///{tmp_path}/empty.db")
    assert "unexpectedly" not in flask.run("db", "downgrade", "base").output


def test_an_upgrade_with_an_earlier_release_leaves_a_newer_database_as_it_is(flask: Commands) -> None:
    with flask.app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    result = flask.run("db", "upgrade")
    assert (result.exit_code, result.stderr.strip()) == (0, MSG_NEWER)
    assert revision(flask) == "9999"


def test_the_losses_are_those_of_the_reverted_migrations() -> None:
    everything = list_losses(migrations.newest(), 0)
    assert list_losses(12, 10) == ["the table key_check"]
    assert list_losses(6, 5) == ["the column deliveries.waited_until"]
    assert {"the table organizations", "the table calls", "the schema dbos, with the work on deferred calls"} <= set(
        everything
    )
    sources = [path.read_text() for path in (migrations.DIRECTORY / "versions").glob("0*.py")]
    drops = sum(len(re.findall(r"drop_(?:table|column)\(", source.split("def downgrade")[1])) for source in sources)
    assert len(everything) == drops + 1


def test_an_upgrade_that_meets_a_lock_says_so(tmp_path: Path) -> None:
    databases.require_postgresql()
    with databases.postgresql_database() as url:
        databases.migrate(url, "0012")
        settings = to_environment(database_url=url, secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEY)
        command = (sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade")
        environ = clean_environment() | settings
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sa.text("LOCK TABLE calls IN ACCESS SHARE MODE"))
            result = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
        engine.dispose()
    assert result.returncode == 1
    assert "Error: Another transaction locks the database for too long." in result.stderr
    assert "Traceback" not in result.stderr


def test_the_statements_of_an_upgrade_are_printed_without_a_database(flask_with: OpenCommands) -> None:
    flask = flask_with(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    result = flask.run("db", "upgrade", "0010:head", "--sql")
    assert result.exit_code == 0
    assert "CREATE TABLE daily_totals" in result.stdout
