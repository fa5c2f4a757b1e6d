"""Each model is asked through its API with its parameters, and refusals of OpenAI are remembered."""

from typing import Any

import pytest

from tests.support.openai_behaviours import (
    Behaviour,
    answer,
    bad_schema,
    json_answer,
    not_a_chat_model,
    responses_only,
    server_error,
    unknown_model,
    unsupported,
    wrong_shape,
)
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import require_error, require_ok

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SCHEMA = {"name": "crop", "strict": True, "schema": {"type": "object"}}


def test_a_reasoning_model_gets_no_temperature(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for model in ("o1", "o3", "o4-mini", "gpt-5", "gpt-5-mini", "gpt-5.1-2025-11-13", "ft:o4-mini:ngo::x"):
        require_ok(alice.ask(gpt_model=model, temperature=0.2, max_tokens=500))
        body = openai.requests[-1].body
        assert "temperature" not in body, model
        assert "max_tokens" not in body, model
        assert body["max_completion_tokens"] == 500
    for model in ("gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "gpt-5-chat-latest"):
        require_ok(alice.ask(gpt_model=model, temperature=0.2))
        assert openai.requests[-1].body["temperature"] == 0.2, model


@pytest.mark.parametrize("model", ["o1-pro", "gpt-5-pro", "gpt-5.1-codex", "ft:gpt-5-pro:ngo::x"])
def test_a_responses_api_model_is_asked_through_the_responses_api(
    alice: TestOrganization, openai: OpenAIStandIn, model: str
) -> None:
    openai.always(answer("Salt, sugar, water.", input_tokens=30, output_tokens=9))
    reply = alice.ask(gpt_model=model, prompt="Answer briefly.", max_tokens=500, temperature=0.2)
    assert require_ok(reply) == "Salt, sugar, water."
    assert reply.json()["model"] == model
    (request,) = openai.requests
    assert request.path == "/v1/responses"
    assert request.body == {
        "model": model,
        "input": "What is ORS?",
        "instructions": "Answer briefly.",
        "max_output_tokens": 500,
        "store": False,
    }
    assert [alice.calls()[0][key] for key in ("input_tokens", "output_tokens")] == [30, 9]


def test_a_json_request_has_the_shape_of_the_responses_api(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(json_answer({"days": 90}))
    formats: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"type": "json_object"}, {"type": "json_object"}),
        ({"type": "json_schema", "json_schema": SCHEMA}, {"type": "json_schema", **SCHEMA}),
    ]
    for sent, expected in formats:
        reply = alice.ask("In JSON: which crop?", gpt_model="gpt-5-pro", response_format=sent)
        assert require_ok(reply) == {"days": 90}
        body = openai.requests[-1].body
        assert body["text"] == {"format": expected}
        assert "response_format" not in body


@pytest.mark.parametrize("code", ["unsupported_parameter", "unsupported_value"])
@pytest.mark.parametrize(
    ("parameter", "model"),
    [("temperature", "gpt-4o"), ("max_completion_tokens", "gpt-4o"), ("max_output_tokens", "gpt-5-pro")],
)
def test_a_refused_parameter_is_omitted_from_later_calls_with_the_same_key(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn, parameter: str, model: str, code: Any
) -> None:
    openai.always(unsupported(parameter, code))
    is_about_model = parameter == "temperature" or code == "unsupported_parameter"
    for asker in (alice, bob):
        require_ok(asker.ask(gpt_model=model, temperature=0.2, max_tokens=100))
        require_ok(asker.ask(gpt_model=model, temperature=0.2, max_tokens=100))
        first, second = [True, False], [False] if is_about_model else [True, False]
        sent = [parameter in request.body for request in openai.requests if request.api_key == asker.key]
        assert sent == first + second


@pytest.mark.parametrize(
    ("model", "lie"),
    [("gpt-4o", unsupported("temperature")), ("gpt-4o-mini", responses_only()), ("ft:gpt-4o:ngo::x", responses_only())],
    ids=["parameter", "endpoint", "fine-tune"],
)
def test_what_one_key_learned_does_not_change_the_calls_of_another(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn, model: str, lie: Behaviour
) -> None:
    openai.for_key(alice.key, lie)
    require_ok(alice.ask(gpt_model=model, temperature=0.2))
    require_ok(bob.ask(gpt_model=model, temperature=0.2))
    request = openai.requests[-1]
    assert (request.api_key, request.path) == (bob.key, "/v1/chat/completions")
    assert request.body["temperature"] == 0.2


def test_a_name_in_a_schema_moves_no_model_to_another_endpoint(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.will(bad_schema("'required' is required to include every key in properties. Missing 'v1/responses'."))
    schema = {"name": "x", "schema": {"type": "object", "properties": {"v1/responses": {"type": "string"}}}}
    asked = alice.ask(gpt_model="gpt-4o-mini", response_format={"type": "json_schema", "json_schema": schema})
    require_error(asked, "invalid_field")
    require_ok(alice.ask(gpt_model="gpt-4o-mini"))
    require_ok(bob.ask(gpt_model="gpt-4o-mini"))
    assert [request.path for request in openai.requests] == ["/v1/chat/completions"] * 3


@pytest.mark.parametrize("failure", [unknown_model(), server_error(400), wrong_shape()], ids=["404", "400", "shape"])
def test_nothing_is_learned_from_a_second_request_that_fails(
    alice: TestOrganization, openai: OpenAIStandIn, failure: Behaviour
) -> None:
    openai.always(unsupported("temperature", then=failure))
    assert alice.ask().status_code != 200
    openai.always(answer())
    require_ok(alice.ask(temperature=0.2))
    assert openai.requests[-1].body["temperature"] == 0.2


def test_a_refused_name_of_the_token_limit_is_replaced_by_the_older_name(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(unsupported("max_completion_tokens"))
    require_ok(alice.ask(max_tokens=100))
    assert openai.requests[-1].body["max_tokens"] == 100


def test_two_refused_parameters_are_both_omitted(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(unsupported("temperature", then=unsupported("max_completion_tokens")))
    for request_count in (3, 4):
        require_ok(alice.ask(max_tokens=100))
        assert len(openai.requests) == request_count


def test_a_refused_required_parameter_is_not_retried(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(unsupported("messages"))
    assert alice.ask().status_code == 502
    assert len(openai.requests) == 1
    openai.always(unsupported("response_format"))
    require_error(alice.ask(response_format={"type": "json_object"}), "invalid_field")
    assert len(openai.requests) == 2


def test_it_remembers_models_that_only_the_responses_api_serves(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(responses_only())
    require_ok(alice.ask(gpt_model="gpt-9-nova"))
    require_ok(alice.ask(gpt_model="gpt-9-nova"))
    assert [request.path for request in openai.requests] == ["/v1/chat/completions", "/v1/responses", "/v1/responses"]


def test_a_model_that_openai_rejects_for_chat_is_not_supported(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(not_a_chat_model())
    require_error(alice.ask(gpt_model="gpt-9-nova"), "model_not_supported")
    assert len(openai.requests) == 1
