"""`make install-production`: a server and a worker need nothing else."""

import subprocess
from pathlib import Path

import pytest

from tests.support.programs import clean_environment, copy_project

STAMP = ".installed-production"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in which nothing is installed yet."""
    copied = copy_project(tmp_path)
    (copied / ".venv").unlink()
    (copied / ".venv").mkdir()
    for translated in copied.glob("**/*.mo"):
        translated.unlink()
    return copied


def recipes(project: Path, target: str) -> str:
    """Return what make would run for this target."""
    command = ["make", "--dry-run", "--always-make", target]
    if (project / ".venv" / STAMP).exists():
        command.remove("--always-make")
    ended = subprocess.run(  # noqa: S603 - our own target
        command, cwd=project, env=clean_environment(), capture_output=True, text=True, check=True, timeout=30
    )
    return ended.stdout


def test_it_installs_no_tool_of_development(project: Path) -> None:
    installed = recipes(project, "install-production")
    assert "requirements.txt" in installed
    assert "--omit=dev" in installed
    assert "messages.mo" in installed
    assert "requirements-dev.txt" not in installed


@pytest.mark.parametrize(("target", "program"), [("serve", "python -m glific_gpt.server"), ("worker", "flask worker")])
def test_what_it_installed_is_enough(project: Path, target: str, program: str) -> None:
    (project / ".venv" / STAMP).touch()
    lines = recipes(project, target)
    assert program in lines
    assert "pip install" not in lines
    assert "npm" not in lines


def test_without_it_a_server_installs_everything(project: Path) -> None:
    assert "requirements-dev.txt" in recipes(project, "serve")


def test_tools_of_development_are_removed(project: Path) -> None:
    (project / ".venv" / ".installed").touch()
    assert "rm -rf .venv" in recipes(project, "install-production")


def test_developers_get_their_tools_after_it(project: Path) -> None:
    (project / ".venv" / STAMP).touch()
    installed = recipes(project, "install")
    assert "requirements-dev.txt" in installed
    assert f"rm -f .venv/{STAMP}" in installed
