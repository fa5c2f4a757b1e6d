"""The flask executable itself, as a shell starts it from the project's root."""

import json
import os
import subprocess
import sys
from pathlib import Path

import config
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.settings import ENCRYPTION_KEY

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


def test_it_says_in_one_line_that_a_secret_is_missing(database: str) -> None:
    ended = flask("organizations", "list", database_url=database)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: GLIFIC_GPT_SECRET_KEY is not set")


def test_it_says_in_one_line_that_the_databases_address_is_none(database: str) -> None:
    wrong = "postgresql+psycopg://someone:hunter2@host:port/db"
    secrets = {"secret_key": "made-up-for-tests", "encryption_keys": ENCRYPTION_KEY}
    ended = flask("organizations", "list", database_url=wrong, **secrets)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: GLIFIC_GPT_DATABASE_URL is not the address")


def test_it_reads_a_key_from_a_pipe_and_prints_json_and_nothing_else(tmp_path: Path, openai: OpenAIStandIn) -> None:
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
