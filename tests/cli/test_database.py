"""flask database backup, restore and copy."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from glific_gpt.cli import progress
from glific_gpt.cli.progress import ProgressLines
from tests.cli.conftest import Commands, OpenCommands
from tests.support import databases
from tests.support.call_records import create_delivery
from tests.support.programs import FLASK, ROOT, clean_environment
from tests.support.server import RunningServer, TestOrganization
from tests.support.serving import SECRET_KEY, to_environment
from tests.support.settings import ENCRYPTION_KEY

PASSWORD = "a-secret-password"


@pytest.fixture
def backup(flask: Commands, seva: str, tmp_path: Path) -> str:
    """A backup with an organization."""
    flask.text("database", "backup", f"{tmp_path}/a.backup")
    return f"{tmp_path}/a.backup"


@pytest.fixture
def empty(flask_with: OpenCommands, tmp_path: Path) -> Commands:
    """Commands with an empty database."""
    return flask_with(database_url=f"sqlite:///{tmp_path}/empty.db")


def test_a_backup_names_its_rows_its_size_and_its_time(flask: Commands, seva: str, tmp_path: Path) -> None:
    text = flask.text("database", "backup", f"{tmp_path}/one")
    assert text.startswith("Backed up SQLite. The backup was read again and is complete.\n")
    assert "\norganizations    1\n" in text
    result = flask.json("database", "backup", f"{tmp_path}/two")
    size = (tmp_path / "two").stat().st_size
    assert (result["database"], result["bytes"], result["rows"]["organizations"]) == ("sqlite", size, 1)
    assert result["seconds"] < 60


def test_a_backup_does_not_replace_a_file_unless_it_is_told_to(flask: Commands, backup: str) -> None:
    message = f"{backup} exists already. Choose another name, or replace it with --force."
    assert flask.failure("database", "backup", backup) == message
    assert flask.json("database", "backup", backup, "--force")["file"] == backup


def test_a_restored_database_works(empty: Commands, backup: str) -> None:
    restored = empty.json("database", "restore", backup, "--deliver-waiting")
    assert (restored["waiting"], restored["keys_match"], restored["rows"]["organizations"]) == ("deliver", True, 1)
    assert [each["slug"] for each in empty.json("organizations", "list")] == ["seva"]


def test_without_a_terminal_the_fate_of_waiting_answers_must_be_given(
    empty: Commands, backup: str, tmp_path: Path
) -> None:
    assert empty.failure("database", "restore", backup).startswith("Say what happens to waiting answers")
    assert not (tmp_path / "empty.db").exists()


def test_a_full_database_is_refused(flask: Commands, backup: str) -> None:
    message = flask.failure("database", "restore", backup, "--drop-waiting")
    assert message.startswith("The database is not empty")


def test_other_keys_are_reported_after_the_restore(flask_with: OpenCommands, backup: str, tmp_path: Path) -> None:
    other = flask_with(database_url=f"sqlite:///{tmp_path}/other.db", encryption_keys=Fernet.generate_key().decode())
    result = other.run("database", "restore", backup, "--drop-waiting", "--json")
    assert (result.exit_code, json.loads(result.stdout)["keys_match"]) == (0, False)
    assert result.stderr.startswith("Warning: the backup was encrypted with other keys")


def test_a_copy_names_its_rows(flask: Commands, seva: str, tmp_path: Path) -> None:
    copied = flask.json("database", "copy", "--to", f"sqlite:///{tmp_path}/copy.db")
    assert (copied["from"], copied["to"], copied["rows"]["organizations"]) == ("sqlite", "sqlite", 1)
    text = flask.text("database", "copy", "--to", f"sqlite:///{tmp_path}/other.db")
    assert text.startswith("Copied SQLite to SQLite. All rows were compared and are the same.\n")


@pytest.mark.parametrize(
    "url", ["mysql://name:{0}@host/name", "postgresql+psycopg://name:{0}@127.0.0.1:1/name", "{0}", "sqlite://"]
)
def test_an_address_that_cannot_be_used_is_not_repeated(flask: Commands, seva: str, url: str) -> None:
    message = flask.failure("database", "copy", "--to", url.format(PASSWORD))
    assert "--to" in message
    assert PASSWORD not in message


def test_a_copy_needs_an_up_to_date_database(flask: Commands, database: str, tmp_path: Path) -> None:
    with databases.behind_on_migrations(database):
        message = flask.failure("database", "copy", "--to", f"sqlite:///{tmp_path}/copy.db")
    assert message == "Migrations are missing. Run 'flask db upgrade'."


def test_progress_is_a_line_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "FILE_SECONDS", 0.0)
    show = ProgressLines()
    show("Copying rows", 60_000, 200_000)
    show("Writing bytes", 4096, 0)
    show.close()
    assert capsys.readouterr().err == "Copying rows: 60,000 of 200,000 (30 %)\nWriting bytes: 4,096\n"


@pytest.mark.journey
@pytest.mark.parametrize(("answer", "state"), [("deliver", "waiting"), ("drop", "undelivered")])
def test_at_a_terminal_it_asks_about_waiting_answers(
    flask: Commands, seva: str, tmp_path: Path, answer: str, state: str
) -> None:
    organization = TestOrganization(RunningServer(flask.app, ""), seva, "", "")
    create_delivery(organization, "waiting", status="pending")
    flask.text("database", "backup", f"{tmp_path}/a.backup")
    url = f"sqlite:///{tmp_path}/restored.db"
    printed = run_at_terminal(("database", "restore", f"{tmp_path}/a.backup"), url, answer)
    assert "The backup has 1 waiting answers and 0 unsent e-mails." in printed
    assert f"waiting: {answer}" in printed
    assert read_states(url) == [state]


def run_at_terminal(arguments: tuple[str, ...], url: str, answer: str) -> str:
    """Run a command with a terminal as its standard input, type the answer, and return its output."""
    environ = to_environment(database_url=url, secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEY)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        result = subprocess.run(  # noqa: S603
            [*FLASK, *arguments],
            cwd=ROOT,
            env=clean_environment() | environ,
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert result.returncode == 0, result.stderr
    return result.stderr + result.stdout


def read_states(url: str) -> list[str]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT state FROM deliveries")))


def test_the_help_says_what_each_command_needs(flask: Commands) -> None:
    texts = {name: flask.text("database", name, "--help") for name in ("backup", "restore", "copy")}
    assert "Servers can run meanwhile." in texts["backup"]
    assert "--deliver-waiting / --drop-waiting" in texts["restore"]
    assert "~/.pgpass" in texts["copy"]
