"""Git ignores what is installed and written beside the code."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.platforms import skip_or_fail
from tests.support.programs import ROOT

FOLDERS = (
    ".venv",
    "node_modules",
    ".peers",
    ".lighthouse",
    ".schemathesis",
    ".hypothesis",
    ".pytest_cache",
    "instance",
)
MAY_BE_SYMLINKS = (".venv", "node_modules", ".peers")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A new repository with our .gitignore. Without git the test is skipped, or fails in CI, which has it."""
    if shutil.which("git") is None:
        skip_or_fail("git is not installed on this machine")
    folder = tmp_path / "repository"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)  # noqa: S603, S607
    shutil.copy(ROOT / ".gitignore", folder)
    return folder


def untracked(repository: Path) -> set[str]:
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    result = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)  # noqa: S603
    return {line.removeprefix("?? ") for line in result.stdout.splitlines()}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_ignored(repository: Path, name: str) -> None:
    (repository / name).mkdir()
    (repository / name / "file").touch()
    assert untracked(repository) == {".gitignore"}


@pytest.mark.parametrize("name", MAY_BE_SYMLINKS)
def test_a_symlink_to_an_installed_folder_is_ignored(repository: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "installed").mkdir()
    (repository / name).symlink_to(tmp_path / "installed")
    assert untracked(repository) == {".gitignore"}


def test_a_source_file_is_not_ignored(repository: Path) -> None:
    (repository / "config.py").touch()
    assert untracked(repository) == {".gitignore", "config.py"}
