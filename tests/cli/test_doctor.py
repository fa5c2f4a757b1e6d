"""flask doctor."""

import json
import os
import signal

import pytest

from glific_gpt.operations.doctor import TITLES
from glific_gpt.operations.doctor.memory import SECOND_QUESTION
from glific_gpt.operations.doctor.test_call import QUESTION
from tests.cli.conftest import Commands
from tests.cli.serving import alice, database_url, flask, server
from tests.support import openai_behaviours as behaviours
from tests.support.glific_stand_in import PHONE, GlificStandIn
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

__all__ = ["alice", "database_url", "flask", "server"]

NOT_PUBLIC = "Glific cannot reach this server until it has a public address"

pytestmark = pytest.mark.usefixtures("alice")


def test_it_prints_a_line_for_each_check_the_conversation_and_a_summary(flask: Commands, openai: OpenAIStandIn) -> None:
    openai.will(behaviours.answer("Two and two is four."))
    shown = flask.text("doctor", "alice")
    marked = [line for line in shown.splitlines() if line[:2] in {"✓ ", "! ", "✗ ", "– "}]
    assert [line[2:].partition(":")[0] for line in marked] == list(TITLES.values())
    assert marked[0] == "✓ Organization: Alice is switched on."
    assert f"\n    Person: {QUESTION}" in shown
    assert "\n    Flow:   Two and two is four." in shown
    assert "\n    GLIFIC_GPT_PUBLIC_URL=https://..." in shown
    assert shown.endswith(f"\n\nalice gets answers only inside this network: {NOT_PUBLIC}.\n")


def test_the_summary_names_warnings(flask: Commands, openai: OpenAIStandIn) -> None:
    openai.for_models(behaviours.missing_scopes())
    assert flask.text("doctor", "alice").endswith(f"{NOT_PUBLIC}. Check these warnings: OpenAI key.\n")


def test_a_problem_of_deferred_answers_does_not_affect_direct_ones(
    flask: Commands, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect(glific)
    glific.accounts[PHONE] = "another password since"
    result = flask.run("doctor", "alice")
    assert result.exit_code == 1
    assert "✓ Test call: The answer came" in result.stdout
    assert result.stderr == (
        f"Error: alice gets answers within 5 seconds only inside this network: {NOT_PUBLIC}. Deferred answers (async, "
        "auto) are not delivered. Fix this first: Glific connection.\n"
    )
    output = json.loads(flask.run("doctor", "alice", "--dry-run", "--json").stdout)
    assert (output["would_answer"], output["keeps_later_answers_away"]) == (True, ["connection"])


def test_a_stopped_command_deletes_its_token(flask: Commands, openai: OpenAIStandIn) -> None:
    def stop(exchange: Exchange) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        behaviours.answer("Four.", after=0.3)(exchange)

    openai.always(stop)
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        assert flask.run("doctor", "alice").exit_code == 128 + signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)
    assert [token["label"] for token in flask.json("tokens", "list", "alice")] == ["flow"]


def test_it_fails_with_one_line_if_an_organization_would_get_no_answer(
    flask: Commands, alice: TestOrganization
) -> None:
    alice.switch_key(on=False)
    result = flask.run("doctor", "alice")
    assert result.exit_code == 1
    assert result.stderr == "Error: alice would get no answer. Fix this first: OpenAI key.\n"
    assert "\n✗ OpenAI key: The OpenAI key ending in lice is switched off.\n    Switch it on.\n" in result.stdout
    assert "\n– Test call: Not checked" in result.stdout


def test_a_failed_call_is_shown_and_fails_the_command(flask: Commands, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.out_of_credit())
    result = flask.run("doctor", "alice")
    assert (result.exit_code, "\n✗ Test call: OpenAI says" in result.stdout) == (1, True)
    assert "Sorry, I could not answer" in result.stdout


def test_a_dry_run_makes_no_call(flask: Commands, alice: TestOrganization) -> None:
    shown = flask.text("doctor", "alice", "--dry-run")
    assert "– Test call: Not checked: no question is sent in this check." in shown
    assert shown.splitlines()[-1] == (
        f"No problem was found for alice inside this network, but {NOT_PUBLIC}. No call was made."
    )
    assert alice.calls() == []


def test_it_prints_one_json_object_even_if_it_fails(flask: Commands, server: RunningServer) -> None:
    output = flask.json("doctor", "alice")
    assert (output["slug"], output["would_answer"], output["only_inside"]) == ("alice", True, True)
    assert [finding["check"] for finding in output["findings"]] == list(TITLES)
    assert QUESTION in output["findings"][-2]["conversation"]
    assert SECOND_QUESTION in output["findings"][-1]["conversation"]
    server.add_organization("carol", key="")
    result = flask.run("doctor", "carol", "--json")
    failed = json.loads(result.stdout)
    assert (result.exit_code, failed["would_answer"]) == (1, False)
    (key,) = [finding for finding in failed["findings"] if finding["check"] == "key"]
    assert key == {
        "check": "key",
        "verdict": "problem",
        "says": "There is no OpenAI key yet.",
        "detail": "",
        "remedy": "Add the organization's own key from platform.openai.com.",
        "command": "flask credentials set carol open_ai --api-key-stdin",
        "error_code": None,
        "conversation": "",
    }


def test_an_unknown_organization_is_an_error(flask: Commands) -> None:
    assert flask.failure("doctor", "nobody") == "There is no organization nobody. Check the slug."
    assert flask.failure("doctor", "nobody", "--json") == "There is no organization nobody. Check the slug."


def test_an_answer_cannot_control_the_terminal(flask: Commands, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.answer("Four.\x1b[2J\x07"))
    shown = flask.text("doctor", "alice")
    assert "Four." in shown
    assert all(each.isprintable() or each == "\n" for each in shown)
