"""Conditions of a release: everything is committed, and CHANGELOG.md describes this version, which is a new one."""

import re
import subprocess
from pathlib import Path


class ReleaseError(Exception):
    """A release cannot be built. The message says why, and what to do."""


def require_releasable(root: Path) -> str:
    """Return the version of the checkout in `root`. Raises ReleaseError."""
    if git(root, "status", "--porcelain"):
        raise ReleaseError("The working tree has changes. Commit or remove them.")
    version = read_version(root)
    if not re.search(rf"(?m)^## {re.escape(version)} \(\d{{4}}-\d{{2}}-\d{{2}}\)$", read(root, "CHANGELOG.md")):
        raise ReleaseError(f"CHANGELOG.md has no section '## {version} (date)'. Write it, or correct __version__.")
    tagged = git(root, "tag", "--list", f"v{version}") and git(root, "rev-list", "-n", "1", f"v{version}")
    if tagged and tagged != git(root, "rev-parse", "HEAD"):
        raise ReleaseError(f"Version {version} is another commit, with the tag v{version}. Raise __version__.")
    return version


def read_version(root: Path) -> str:
    found = re.search(r'(?m)^__version__ = "(.+)"$', read(root, "glific_gpt/__init__.py"))
    if found is None:
        raise ReleaseError("glific_gpt/__init__.py has no __version__.")
    return found[1]


def read(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


def git(root: Path, *arguments: str) -> str:
    """Return what a Git command prints. Raises ReleaseError if it fails."""
    command = ["git", "-C", str(root), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
    if result.returncode:
        raise ReleaseError(f"git {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()
