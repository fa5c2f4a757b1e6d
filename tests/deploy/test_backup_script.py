"""backup.sh: a backup, and the end of old ones."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY

DAY = 86_400


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """A folder with backups that are 20 and 2 days old, and a file that is no backup."""
    folder = tmp_path / "backups"
    folder.mkdir()
    for name, days in (("glific_gpt-old.backup", 20), ("glific_gpt-new.backup", 2), ("other.txt", 20)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - days * DAY,) * 2)
    return folder


def run(tmp_path: Path, backups: Path, flask: str) -> int:
    """Run the script with this program as `flask`, and return its exit code."""
    program = tmp_path / "flask"
    program.write_text(f"#!/bin/sh\n{flask}\n")
    program.chmod(0o755)
    command = [DEPLOY / "backup.sh", backups]
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    return subprocess.run(command, env=environ, check=False).returncode  # noqa: S603 - our own script


def test_it_writes_a_backup_and_deletes_old_ones(tmp_path: Path, backups: Path) -> None:
    assert run(tmp_path, backups, 'test "$1 $2" = "database backup" && echo content > "$3"') == 0
    written = {path.name for path in backups.iterdir()} - {"glific_gpt-new.backup", "other.txt"}
    (name,) = written
    assert name.startswith("glific_gpt-20")
    assert (backups / name).read_text() == "content\n"


def test_after_a_failed_backup_the_old_ones_stay(tmp_path: Path, backups: Path) -> None:
    assert run(tmp_path, backups, "exit 1") == 1
    assert {path.name for path in backups.iterdir()} == {"glific_gpt-old.backup", "glific_gpt-new.backup", "other.txt"}
