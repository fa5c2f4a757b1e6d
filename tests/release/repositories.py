"""Git repositories with a copy of the project."""

import shutil
import subprocess
from pathlib import Path

from tests.support.programs import ROOT

NOT_RELEASED = ("tests", "benchmarks", "pictures", "decisions")
AUTHOR = ("-c", "user.name=Asha", "-c", "user.email=asha@example.org")
DATE = "2026-01-02T03:04:05+00:00"


def create_repository(folder: Path) -> Path:
    """Commit a copy of the project without tests and most documents, with the installed npm packages beside it."""
    ignored = shutil.ignore_patterns("[.]?*", "instance", "build", "dist", "node_modules", "__pycache__", *NOT_RELEASED)
    shutil.copytree(ROOT, folder, ignore=ignored)
    shutil.copy(ROOT / ".gitignore", folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, *AUTHOR, "commit", "--quiet", "--message", "release: test")


def git(folder: Path, *arguments: str) -> None:
    environ = {"GIT_COMMITTER_DATE": DATE, "GIT_AUTHOR_DATE": DATE, "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    subprocess.run(["git", *arguments], cwd=folder, env=environ, check=True, timeout=60)  # noqa: S603, S607
