"""The question of a plugin is stored for a deferred call. If it cannot be read, the flow gets an error."""

import json
from typing import Any

import pytest
from pydantic import Field

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred.delivery_records import ANSWER_PURPOSE, encrypt_answer
from glific_gpt.calls.execution import error_outcome
from glific_gpt.errors import EmptyAnswer
from glific_gpt.functions.contract import Function, FunctionAnswer, FunctionBody, Question
from tests.conftest import StartServer
from tests.support import http
from tests.support.deferred import (
    create_connected_organization,
    pending_call_id,
    resumed_result,
    start_worker_in_process,
)
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import Behaviour, answer, refuse_key
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization


class ShoutBody(FunctionBody):
    """A body with a field that has another name in JSON than in Python."""

    text: str = Field(alias="inputText")


class NewShoutBody(FunctionBody):
    """The body of a later release of the plugin."""

    words: list[str]


shout = Function("shout", ShoutBody, lambda body, model, _deadline: model.ask(Question(text=body.text)).text)
answer_twice = Function(
    "shout",
    ShoutBody,
    lambda body, model, _deadline: FunctionAnswer(model.ask(Question(text=body.text)).text, {"sources": ["a.pdf"]}),
    answer_key="message",
)
new_shout = Function("shout", NewShoutBody, lambda body, _model, _deadline: body.words[0])


@pytest.fixture
def alice(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    server.services.functions.add(shout, "tests")
    alice = server.add_organization("alice")
    alice.connect(glific)
    return alice


def ask(organization: TestOrganization) -> str:
    body = {"inputText": "hello", "contact": {"id": 21}, "flow_id": "5"}
    url = organization.url_of("shout")
    return pending_call_id(
        http.post(f"{url}?mode=async", json=body, headers={"Authorization": f"Bearer {organization.token}"})
    )


def test_a_field_may_have_an_alias(alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn) -> None:
    openai.always(answer("HELLO"))
    call_id = ask(alice)
    start_worker_in_process(alice.server)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["parsed_msg"] == "HELLO"


def test_a_question_that_a_new_release_cannot_read_resumes_the_flow_with_an_error(
    alice: TestOrganization, start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    call_id = ask(alice)
    other_server = start_server()
    other_server.services.functions.add(new_shout, "tests")
    start_worker_in_process(other_server)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert (resumed_result(glific, 21)["status"], resumed_result(glific, 21)["error_class"]) == ("error", "service")
    assert openai.requests == []


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (answer("**HELLO**"), {"parsed_msg": "*HELLO*", "message": "*HELLO*", "sources": ["a.pdf"]}),
        (refuse_key(), {"parsed_msg": "Call us.", "message": "Call us.", "error_code": "invalid_api_key"}),
    ],
)
def test_the_flow_gets_all_keys_of_a_later_answer(
    server: RunningServer, openai: OpenAIStandIn, glific: GlificStandIn, behaviour: Behaviour, expected: dict[str, Any]
) -> None:
    server.services.functions.add(answer_twice, "tests")
    alice = create_connected_organization(server, glific, fallback_message="Please wait.")
    openai.always(behaviour)
    call_id = ask(alice)
    alice.change(fallback_message="Call us.")
    start_worker_in_process(server)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    result = resumed_result(glific, 21)
    assert {key: result.get(key) for key in expected} == expected


def test_an_error_is_stored_without_the_organizations_message(server: RunningServer) -> None:
    context, vault = CallContext(1, "shout", answer_key="message"), server.services.vault
    outcome = error_outcome(context.call_id, EmptyAnswer(), "A long message.", context.answer_key)
    stored = json.loads(vault.decrypt(1, ANSWER_PURPOSE, encrypt_answer(vault, context, outcome)))
    assert "A long message." not in stored.values()
    assert stored["message"] is None
