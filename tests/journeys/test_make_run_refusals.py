"""`make run`: what stops it, in one sentence."""

from pathlib import Path

import pytest

from tests.support.programs import copy_project, make_command, start


def refusal(project: Path, **environ: str) -> str:
    """What a `make run` says that does not start."""
    with start(make_command("run"), project.parent / "log", environ, project) as program:
        assert program.wait_for_exit() != 0
    assert program.output == ""
    (said,) = [line for line in program.errors.splitlines() if not line.startswith("make")]
    return said


def test_it_keeps_out_of_a_database_of_somebodys_own(tmp_path: Path) -> None:
    project, theirs = copy_project(tmp_path), tmp_path / "theirs.db"
    said = refusal(project, GLIFIC_GPT_DATABASE_URL=f"sqlite:///{theirs}")
    assert said == (
        "Error: `make run` keeps a database of its own: unset GLIFIC_GPT_DATABASE_URL, "
        "or use `make serve` for this one."
    )
    assert not theirs.exists()


@pytest.mark.parametrize("port", ["abc", "70000"])
def test_it_wants_a_port_that_is_one(tmp_path: Path, port: str) -> None:
    said = refusal(copy_project(tmp_path), PORT=port)
    assert said == "Error: PORT is not a port. Set a number from 1 to 65535, such as 8080."


def test_it_says_where_it_keeps_what_it_makes_when_it_cannot(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    (project / "instance").write_text("in the way")
    said = refusal(project)
    assert said == (f"Error: {project}/instance cannot be used (File exists): it must be a folder that you can write.")
