"""The flask executable, started from the root of the project."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

import config
from glific_gpt import __version__
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import start
from tests.support.serving import to_environment
from tests.support.settings import ENCRYPTION_KEY

pytestmark = pytest.mark.journey

Flask = Callable[..., subprocess.CompletedProcess[str]]
KEY = "sk-proj-seva-0123456789-wxyz"


def flask(*args: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    ours = {f"GLIFIC_GPT_{name.upper()}": value for name, value in settings.items()}
    others = {name: value for name, value in os.environ.items() if not name.startswith(("GLIFIC_GPT_", "FLASK_"))}
    return subprocess.run(  # noqa: S603 - our own command
        [Path(sys.executable).with_name("flask"), *args],
        input=stdin,
        env=others | ours,
        cwd=config.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def forked_flask(tmp_path: Path) -> Flask:
    """Like `flask`, for tests in which the start itself does not matter."""
    numbers = count()

    def run(*args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "glific_gpt", *args)
        folder = tmp_path / f"flask-{next(numbers)}"
        with start(command, folder, to_environment(**settings), is_forked=True) as program:
            code = program.wait_for_exit()
        return subprocess.CompletedProcess(command, code, program.output, program.errors)

    return run


def test_a_missing_secret_is_a_one_line_error(database: str) -> None:
    ended = flask("organizations", "list", database_url=database)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: GLIFIC_GPT_SECRET_KEY is not set")


def test_a_command_that_asks_nothing_does_not_load_the_openai_library(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # the names of the imported modules, on standard error
    ended = flask("--help", database_url=database)
    assert "glific_gpt.organizations.credentials.providers" in ended.stderr
    assert "openai.types" not in ended.stderr


def test_it_prints_the_version_without_settings(database: str) -> None:
    ended = flask("--version", database_url=database)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{__version__}\n", "")


HELP = (
    ("organizations", "--help"),
    ("organizations", "create", "--help"),
    ("db", "--help"),
)


@pytest.mark.parametrize("args", HELP, ids=" ".join)
def test_help_needs_no_settings(forked_flask: Flask, database: str, args: tuple[str, ...]) -> None:
    without_secrets = forked_flask(*args, database_url=database)
    assert (without_secrets.returncode, without_secrets.stderr) == (0, "")
    assert without_secrets.stdout.startswith(f"Usage: {' '.join(('flask', *args[:-1]))} ")


def test_help_lists_the_same_commands_without_settings(forked_flask: Flask, database: str) -> None:
    without_secrets = forked_flask("--help", database_url=database)
    assert (without_secrets.returncode, without_secrets.stderr) == (0, "")
    assert without_secrets.stdout.startswith("Usage: flask ")
    secrets = {"secret_key": "made-up-for-tests", "encryption_keys": ENCRYPTION_KEY}
    assert without_secrets.stdout == forked_flask("--help", database_url=database, **secrets).stdout


def test_a_command_with_help_as_a_value_needs_the_secret(forked_flask: Flask, database: str) -> None:
    ended = forked_flask("organizations", "create", "seva", "--name", "--help", database_url=database)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: GLIFIC_GPT_SECRET_KEY is not set")


def test_an_invalid_database_url_is_a_one_line_error(forked_flask: Flask, database: str) -> None:
    wrong = "postgresql+psycopg://someone:hunter2@host:port/db"
    secrets = {"secret_key": "made-up-for-tests", "encryption_keys": ENCRYPTION_KEY}
    ended = forked_flask("organizations", "list", database_url=wrong, **secrets)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: GLIFIC_GPT_DATABASE_URL is not the address")


def test_it_reads_a_key_from_a_pipe_and_prints_only_json(tmp_path: Path, openai: OpenAIStandIn) -> None:
    settings = {
        "secret_key": "made-up-for-tests",
        "encryption_keys": ENCRYPTION_KEY,
        "database_url": f"sqlite:///{tmp_path}/new.db",
        "openai_base_url": openai.base_url,
    }
    made = flask("db", "upgrade", **settings)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    organization = flask("organizations", "create", "seva", "--name", "Seva", "--json", **settings)
    assert organization.stderr == ""
    assert json.loads(organization.stdout)["slug"] == "seva"
    saved = flask("credentials", "set", "seva", "open_ai", "--api-key-stdin", "--json", stdin=KEY, **settings)
    assert saved.stderr == ""
    assert json.loads(saved.stdout)["last4"] == "wxyz"
    assert KEY not in saved.stdout
