"""Conditions of a release."""

from pathlib import Path

import pytest

from glific_gpt import __version__
from tests.release.repositories import commit, create_repository, git
from tools.release.checks import ReleaseError, require_releasable


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return create_repository(tmp_path / "project")


def refusal(repository: Path) -> str:
    with pytest.raises(ReleaseError) as caught:
        require_releasable(repository)
    return str(caught.value)


def test_a_committed_version_of_the_changelog_can_be_released(repository: Path) -> None:
    assert require_releasable(repository) == __version__


@pytest.mark.parametrize("name", ["glific_gpt/new.py", "README.md"])
def test_a_change_that_is_not_committed_cannot_be_released(repository: Path, name: str) -> None:
    (repository / name).write_text("changed")
    assert refusal(repository) == "The working tree has changes. Commit or remove them."


def test_a_version_that_the_changelog_does_not_describe_cannot_be_released(repository: Path) -> None:
    (repository / "glific_gpt" / "__init__.py").write_text('__version__ = "0.9.99"\n')
    commit(repository)
    assert refusal(repository).startswith("CHANGELOG.md has no section '## 0.9.99 (date)'.")


def test_a_version_is_released_once(repository: Path) -> None:
    git(repository, "tag", f"v{__version__}")
    assert require_releasable(repository) == __version__
    (repository / "README.md").write_text("changed")
    commit(repository)
    assert refusal(repository).startswith(f"Version {__version__} is another commit")
