"""create-env.sh: the settings of compose.yaml with new secrets, and no question."""

import stat
import subprocess
from pathlib import Path

import config
from tests.deploy.files import DEPLOY, create_env

SECRETS = ("GLIFIC_GPT_SECRET_KEY", "GLIFIC_GPT_ENCRYPTION_KEYS", "POSTGRES_PASSWORD")


def test_the_server_accepts_its_settings(tmp_path: Path) -> None:
    settings = config.load(create_env(tmp_path), instance=None)
    assert settings.public_url == "https://gpt.example.org"
    assert settings.trusted_proxy_count == 1
    assert settings.worker == "separate"


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    create_env(tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_each_file_has_secrets_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first, second = create_env(tmp_path / "first"), create_env(tmp_path / "second")
    values = [values[name] for values in (first, second) for name in SECRETS]
    assert len(set(values)) == len(values)
    assert min(map(len, values)) >= 43


def test_the_server_and_the_database_have_the_same_password(tmp_path: Path) -> None:
    values = create_env(tmp_path)
    assert f":{values['POSTGRES_PASSWORD']}@db/" in values["GLIFIC_GPT_DATABASE_URL"]


def test_it_replaces_no_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("kept")
    command = (DEPLOY / "create-env.sh", "gpt.example.org", tmp_path / ".env")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: ")
    assert (tmp_path / ".env").read_text() == "kept"
