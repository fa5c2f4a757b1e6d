"""Answers of the OpenAI stand-in, well-formed and malformed, as OpenAI's own library reads them."""

import json
from typing import Any

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from tests.support import http
from tests.support import openai_behaviours as behaviours
from tests.support.openai_behaviours import Echo
from tests.support.openai_questions import create_chat_completion, create_response
from tests.support.openai_stand_in import OpenAIStandIn


def test_a_chat_answer_is_complete_for_openais_library(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.will(behaviours.answer("Salt and sugar.", input_tokens=3, output_tokens=4, finish_reason="length"))
    completion = ChatCompletion.model_validate(create_chat_completion(client).model_dump())
    assert completion.choices[0].message.content == "Salt and sugar."
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (3, 4)


def test_an_answer_of_the_responses_api_is_complete_for_openais_library(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.will(behaviours.answer("Salt and", input_tokens=3, output_tokens=4, finish_reason="length"))
    response = Response.model_validate(create_response(client).model_dump())
    assert response.output_text == "Salt and"
    assert response.status == "incomplete"
    assert response.incomplete_details
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.usage
    assert (response.usage.input_tokens, response.usage.output_tokens) == (3, 4)


def test_an_echo_has_the_key_model_and_question_of_both_endpoints(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.always(behaviours.echo())
    assert Echo.read(create_chat_completion(client).choices[0].message.content or "") == (
        "wxyz",
        "gpt-4o",
        "What is ORS?",
    )
    assert Echo.read(create_response(client).output_text) == ("wxyz", "gpt-5-pro", "What is ORS?")


def test_a_refusal_and_a_filter_exist_in_both_shapes(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.always(behaviours.refusal("No."))
    message = create_chat_completion(client).choices[0].message
    assert (message.content, message.refusal) == (None, "No.")
    assert create_response(client).to_dict()["output"][-1]["content"] == [  # type: ignore[index]
        {"type": "refusal", "refusal": "No."}
    ]
    openai.always(behaviours.content_filter_stop())
    assert create_chat_completion(client).choices[0].finish_reason == "content_filter"
    assert create_response(client).to_dict()["incomplete_details"] == {"reason": "content_filter"}


def test_an_empty_answer_has_status_200(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.will(behaviours.empty(), behaviours.empty(None), behaviours.no_choices(), behaviours.no_choices())
    assert create_chat_completion(client).choices[0].message.content == ""
    assert create_chat_completion(client).choices[0].message.content is None
    assert create_chat_completion(client).choices == []
    assert create_response(client).output == []


@pytest.mark.parametrize("shape", behaviours.WRONG_SHAPES)
def test_a_wrong_shape_arrives_unchanged(openai: OpenAIStandIn, shape: Any) -> None:
    openai.will(behaviours.wrong_shape(shape))
    answer = http.post(f"{openai.base_url}/chat/completions", json={})
    assert (answer.status_code, answer.json()) == (200, shape)


def test_a_json_answer_is_json_text(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.will(behaviours.json_answer({"a": [1]}))
    assert json.loads(create_chat_completion(client).choices[0].message.content or "") == {"a": [1]}
