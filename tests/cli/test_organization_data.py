"""flask organizations export and delete, flask users delete."""

import json
import os
import pty
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import click
import pytest
from flask.cli import ScriptInfo

from tests.cli.conftest import Commands

ASHA = "asha@example.org"
NO_TERMINAL = "Nobody can confirm the deletion, because there is no terminal. Add --yes to delete without a question."

RunAtTerminal = Callable[..., str]


@pytest.fixture
def asha(flask: Commands, seva: str) -> str:
    """The owner of the organization, who belongs to no other one."""
    flask.json("users", "create", ASHA, "--organization", seva, "--role", "owner")
    return ASHA


@pytest.fixture
def at_terminal(flask: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunAtTerminal:
    """Run a command at a terminal, where a text is typed. Returns what it printed, or raises click.ClickException."""

    def run(*args: str, typed: str) -> str:
        ours, terminal = pty.openpty()
        os.write(ours, f"{typed}\n".encode())
        with os.fdopen(terminal, "r") as standard_input, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", standard_input)
            try:
                flask.app.cli.main(list(args), obj=ScriptInfo(create_app=lambda: flask.app), standalone_mode=False)
            finally:
                os.close(ours)
        return capsys.readouterr().err

    return run


def export(flask: Commands, path: Path, *options: str) -> str:
    return flask.text("organizations", "export", "seva", str(path), *options)


def test_it_exports_into_a_file_that_only_its_owner_can_read(flask: Commands, asha: str, tmp_path: Path) -> None:
    path = tmp_path / "seva.zip"
    exported = flask.json("organizations", "export", "seva", str(path))
    # The organization, its token and member, and the entries of their creation and of the export.
    assert exported == {"slug": "seva", "file": str(path), "rows": 7, "bytes": path.stat().st_size}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with ZipFile(path) as archive:
        assert [json.loads(line)["email"] for line in archive.read("people.jsonl").splitlines()] == [asha]


def test_it_replaces_a_file_only_with_force(flask: Commands, seva: str, tmp_path: Path) -> None:
    path = tmp_path / "seva.zip"
    path.write_text("mine")
    refused = flask.failure("organizations", "export", seva, str(path))
    assert refused == f"{path} exists already. Choose another name, or replace it with --force."
    assert path.read_text() == "mine"
    assert export(flask, path, "--force").startswith("Exported ")
    assert ZipFile(path).testzip() is None


def test_an_export_that_fails_leaves_no_file(flask: Commands, seva: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "seva.zip"
    assert flask.failure("organizations", "export", seva, str(missing)).startswith("No file can be written in ")
    assert flask.failure("organizations", "export", seva, str(tmp_path)).endswith("Give the name of a file.")
    assert flask.failure("organizations", "export", "other", str(tmp_path / "a.zip")).startswith("There is no")
    assert [path.name for path in tmp_path.iterdir() if "zip" in path.name] == []


def test_it_deletes_an_organization_and_its_members(flask: Commands, asha: str) -> None:
    deleted = flask.json("organizations", "delete", "seva", "--yes")
    assert deleted == {
        "slug": "seva",
        "deleted": {"audit_entries": 3, "memberships": 1, "webhook_tokens": 1},
        "people_deleted": 1,
    }
    assert (flask.json("organizations", "list"), flask.json("users", "list")) == ([], [])
    assert flask.failure("organizations", "delete", "seva", "--yes").startswith("There is no organization seva.")
    assert flask.json("audit", "list")[0]["action"] == "organization_deleted"


def test_nothing_is_deleted_without_a_terminal_and_without_yes(flask: Commands, asha: str) -> None:
    assert flask.failure("organizations", "delete", "seva", stdin="seva\n") == NO_TERMINAL
    assert flask.failure("users", "delete", asha, stdin=f"{asha}\n") == NO_TERMINAL
    assert len(flask.json("users", "list")) == len(flask.json("organizations", "list")) == 1


def test_at_a_terminal_it_shows_what_is_deleted_and_asks_for_the_slug(
    flask: Commands, asha: str, at_terminal: RunAtTerminal
) -> None:
    with pytest.raises(click.ClickException, match="This is not seva"):
        at_terminal("organizations", "delete", "seva", typed="yes")
    assert len(flask.json("organizations", "list")) == 1
    shown = at_terminal("organizations", "delete", "seva", typed="seva")
    assert "This deletes seva (Seva Trust) and everything that is stored of it:" in shown
    assert "webhook tokens  1" in shown
    assert f"because they belong to no other organization: {asha}" in shown
    assert flask.json("organizations", "list") == []


def test_it_deletes_a_user_once_there_is_another_owner(flask: Commands, asha: str) -> None:
    refused = flask.failure("users", "delete", asha, "--yes")
    assert refused.startswith("This person is the only owner of an organization. Make another member an owner there")
    flask.json("users", "create", "ravi@example.org", "--organization", "seva", "--role", "owner")
    assert flask.json("users", "delete", asha, "--yes") == {"email": asha, "deleted": True}
    assert [user["email"] for user in flask.json("users", "list")] == ["ravi@example.org"]
    assert asha not in flask.text("audit", "list")
    assert flask.failure("users", "delete", asha, "--yes") == "No account has this e-mail address."


def test_at_a_terminal_it_asks_for_the_address_of_the_user(flask: Commands, at_terminal: RunAtTerminal) -> None:
    for email in (ASHA, "admin@example.org"):
        flask.json("users", "create", email, "--admin")
    with pytest.raises(click.ClickException, match="Nothing was deleted"):
        at_terminal("users", "delete", ASHA, typed="")
    assert "You cannot undo this." in at_terminal("users", "delete", ASHA, typed=ASHA)
    assert [user["email"] for user in flask.json("users", "list")] == ["admin@example.org"]
    assert flask.failure("users", "delete", "admin@example.org", "--yes").startswith("This is the only administrator")
