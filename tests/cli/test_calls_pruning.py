"""flask calls prune."""

import sys
from datetime import timedelta

import pytest
from click import testing

from glific_gpt.clock import now
from tests.cli.conftest import Commands, OpenCommands
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization

DAY = timedelta(days=1)


@pytest.fixture
def two_calls(flask: Commands, seva: str) -> list[str]:
    """The ids of a new call and of one that is 30 days old."""
    organization = TestOrganization(RunningServer(flask.app, ""), seva, "", "")
    return [create_call(organization, at=now() - age * DAY) for age in (0, 30)]


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands believe that a person types their standard input."""
    monkeypatch.setattr(testing._NamedTextIOWrapper, "isatty", lambda self: self is sys.stdin, raising=False)


def ids(flask: Commands) -> set[str]:
    return {call["call_id"] for call in flask.json("calls", "list", "seva")}


def test_it_deletes_old_calls_without_asking_a_program(flask: Commands, two_calls: list[str]) -> None:
    assert flask.json("calls", "prune", "--days", "29")["deleted"] == 1
    assert ids(flask) == {two_calls[0]}
    assert flask.json("calls", "prune", "--days", "29")["deleted"] == 0


def test_it_keeps_as_many_days_as_the_server_does(
    flask: Commands, flask_with: OpenCommands, two_calls: list[str]
) -> None:
    assert flask.text("calls", "prune").startswith("Deleted 0 calls from before 20")
    assert flask_with(keep_calls_days=29).json("calls", "prune")["deleted"] == 1


def test_it_needs_a_number_of_days_if_the_server_keeps_all_calls(flask_with: OpenCommands) -> None:
    message = "GLIFIC_GPT_KEEP_CALLS_DAYS is 0, which keeps all calls. Add --days N."
    assert flask_with(keep_calls_days=0).failure("calls", "prune") == message


@pytest.mark.parametrize("days", ["0", "-1", "x", "36501"])
def test_it_refuses_other_numbers_of_days(flask: Commands, days: str) -> None:
    assert "Invalid value for '--days'" in flask.failure("calls", "prune", "--days", days, code=2)


@pytest.mark.usefixtures("_terminal")
def test_it_asks_a_person_before_it_deletes_more_than_the_server(flask: Commands, two_calls: list[str]) -> None:
    refused = flask.run("calls", "prune", "--days", "29", stdin="n\n")
    assert refused.exit_code == 1
    assert "1 call of 1 organization from before 20" in refused.output
    assert ids(flask) == set(two_calls)
    assert flask.run("calls", "prune", "--days", "29", stdin="y\n").exit_code == 0
    assert ids(flask) == {two_calls[0]}


@pytest.mark.usefixtures("_terminal")
def test_it_does_not_ask_with_yes_or_about_calls_that_the_server_deletes_too(
    flask: Commands, flask_with: OpenCommands, two_calls: list[str]
) -> None:
    assert "Deleted 0 calls" in flask.run("calls", "prune", "--days", "400", stdin="").stdout
    assert "Deleted 1 call from before" in flask.run("calls", "prune", "--days", "29", "--yes", stdin="").stdout


def test_it_is_recorded_in_the_audit_trail(flask: Commands, two_calls: list[str]) -> None:
    flask.text("calls", "prune", "--days", "29")
    flask.text("calls", "prune", "--days", "29")  # nothing is left to delete
    entries = [entry for entry in flask.json("audit", "list") if entry["action"] == "calls_pruned"]
    assert [(entry["organization"], entry["actor"], entry["detail"]) for entry in entries] == [
        (None, "command line", {"days": 29, "deleted": 1})
    ]
