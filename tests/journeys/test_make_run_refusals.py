"""`make run` reports in one sentence why it cannot start."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.support import databases
from tests.support.programs import copy_project, make_command, start


def refusal(project: Path, **environ: str) -> str:
    """Return the error of a `make run` that does not start."""
    with start(make_command("run"), project.parent / "log", environ, project) as program:
        assert program.wait_for_exit() != 0
    assert program.output == ""
    (error,) = [line for line in program.errors.splitlines() if not line.startswith("make")]
    return error


def test_it_refuses_to_use_another_database(tmp_path: Path) -> None:
    project, database = copy_project(tmp_path), tmp_path / "theirs.db"
    error = refusal(project, GLIFIC_GPT_DATABASE_URL=f"sqlite:///{database}")
    assert error == (
        "Error: `make run` uses its own database. Unset GLIFIC_GPT_DATABASE_URL, "
        "or use `make serve` with this database."
    )
    assert not database.exists()


def test_it_does_not_replace_the_keys_of_another_database(tmp_path: Path, sqlite_template: Path) -> None:
    database = databases.copy_template(sqlite_template, tmp_path)
    other = Fernet.generate_key().decode()
    error = refusal(copy_project(tmp_path), GLIFIC_GPT_DATABASE_URL=database, GLIFIC_GPT_ENCRYPTION_KEYS=other)
    assert error.startswith("Error: The database was encrypted with other keys")


@pytest.mark.parametrize("port", ["abc", "70000"])
def test_it_refuses_an_invalid_port(tmp_path: Path, port: str) -> None:
    error = refusal(copy_project(tmp_path), PORT=port)
    assert error == "Error: PORT is not a port. Set a number from 1 to 65535, such as 8080."


def test_it_names_the_folder_that_it_cannot_use(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    (project / "instance").write_text("in the way")
    error = refusal(project)
    assert error == (f"Error: {project}/instance cannot be used (File exists). Make it a folder that you can write to.")
