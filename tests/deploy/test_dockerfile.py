"""The Dockerfile: it copies files that exist, and runs our server without rights of root."""

import json
import re

import pytest

from tests.deploy.files import DEPLOY
from tests.support.programs import ROOT

DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
INSTRUCTIONS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if re.match(r"[A-Z]", line)]
COPIED = [name for word, rest in INSTRUCTIONS if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]]
IN_CONTEXT = [
    line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
]


def last(word: str) -> str:
    """Return the arguments of an instruction of the last stage."""
    return [rest for name, rest in INSTRUCTIONS if name == word][-1]


@pytest.mark.parametrize("name", COPIED)
def test_a_copied_file_exists_and_is_in_the_context(name: str) -> None:
    assert (ROOT / name).exists()
    assert name in IN_CONTEXT


def test_the_context_has_nothing_else() -> None:
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    assert sorted(IN_CONTEXT) == sorted(COPIED)


def test_it_runs_the_server_as_another_user_than_root() -> None:
    assert json.loads(last("CMD")) == ["python", "-m", "glific_gpt.server"]
    assert int(last("USER")) > 0


def test_its_health_check_is_valid_python_and_asks_for_the_process() -> None:
    program, option, code = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert (program, option) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "/livez" in code


def test_packages_are_installed_from_the_lock_files() -> None:
    for word, rest in INSTRUCTIONS:
        if word == "RUN" and "pip install" in rest:
            assert "--require-hashes" in rest
        if word == "RUN" and "npm" in rest:
            assert "npm ci" in rest
            assert "--ignore-scripts" in rest
