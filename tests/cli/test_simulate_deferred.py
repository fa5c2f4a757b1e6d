"""flask flows simulate, with flows that wait for a deferred answer."""

import json

import pytest

from tests.cli.conftest import Commands
from tests.cli.serving import alice, database_url, flask, server
from tests.support import openai_behaviours as behaviours
from tests.support.deferred import start_worker_in_process
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.support.simulated_glific import connect_conversations

__all__ = ["alice", "database_url", "flask", "server"]

DEFERRED_MODES = ("async", "auto")
SIMULATE = ("flows", "simulate", "alice", "--reply", "What is ORS?", "--reply", "END")


def export(flask: Commands, mode: str) -> str:
    result = flask.run("flows", "export", "alice", "--mode", mode)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture
def waiting(server: RunningServer, alice: TestOrganization, glific: GlificStandIn) -> TestOrganization:
    """An organization that is connected to a Glific in which no flow waits, as in a simulation."""
    alice.connect(glific)
    connect_conversations(glific)
    return alice


def test_a_deferred_answer_appears_in_the_conversation(
    flask: Commands, server: RunningServer, waiting: TestOrganization, openai: OpenAIStandIn
) -> None:
    start_worker_in_process(server)
    openai.always(behaviours.answer("Salt, sugar, water."))
    result = flask.run(*SIMULATE, stdin=export(flask, "async"))
    assert result.exit_code == 0, result.stderr
    assert "Flow:   Salt, sugar, water." in result.stdout
    assert "Sorry" not in result.stdout
    assert result.stderr.startswith("Waiting for the deferred answer, up to ")
    assert len(waiting.calls()) == 1


def test_a_failed_deferred_call_fails_the_command(
    flask: Commands, server: RunningServer, waiting: TestOrganization, openai: OpenAIStandIn
) -> None:
    start_worker_in_process(server)
    openai.always(behaviours.out_of_credit())
    result = flask.run(*SIMULATE, stdin=export(flask, "async"))
    assert result.exit_code == 1
    assert "Sorry, I could not answer" in result.stdout
    assert "The deferred call failed" in result.stderr


@pytest.mark.usefixtures("waiting")
def test_a_missing_answer_fails_the_command_when_the_wait_expires(flask: Commands) -> None:
    given = json.loads(export(flask, "async"))
    for node in given["flows"][0]["definition"]["nodes"]:
        for action in node["actions"]:
            if action["type"] == "wait_for_result":
                action["delay"] = "1"
    result = flask.run(*SIMULATE, "--json", stdin=json.dumps(given))
    assert result.exit_code == 1
    assert "No answer came while the flow waited" in result.stderr


@pytest.mark.parametrize("mode", DEFERRED_MODES)
def test_if_answers_are_not_stored_openai_is_not_asked(
    flask: Commands, alice: TestOrganization, glific: GlificStandIn, openai: OpenAIStandIn, mode: str
) -> None:
    alice.connect_signed(glific, "a phrase of alice and glific")
    text = export(flask, mode)
    assert "this server stores no answers" in flask.failure(*SIMULATE, stdin=text)
    assert openai.requests == []


@pytest.mark.usefixtures("alice")
def test_without_a_connection_the_call_fails(flask: Commands, openai: OpenAIStandIn) -> None:
    result = flask.run(*SIMULATE, stdin=export(flask, "async"))
    assert (result.exit_code, "Sorry, I could not answer" in result.stdout) == (1, True)
    assert openai.requests == []
