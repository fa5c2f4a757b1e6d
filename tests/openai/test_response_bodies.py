"""OpenAI's replies that are unreadable, refused or failed, although their status is 200."""

import json
from typing import Any

import pytest

from glific_gpt.errors import BadUpstreamReply, ModelRefused
from glific_gpt.openai.chat import Usage
from glific_gpt.openai.request_bodies import CHAT_PATH, RESPONSES_PATH
from glific_gpt.openai.response_bodies import parse_answer, parse_model_ids

CHAT = {"model": "gpt-4o", "choices": [{"message": {"content": "Drink ORS."}}]}
RESPONSES = {
    "model": "gpt-5-pro",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Drink ORS."}]}],
}
BODIES = pytest.mark.parametrize(("path", "body"), [(CHAT_PATH, CHAT), (RESPONSES_PATH, RESPONSES)])


def parse(path: str, body: dict[str, Any]) -> str:
    return parse_answer(path, json.dumps(body).encode(), "gpt-4o", Usage()).text


@BODIES
@pytest.mark.parametrize("model", ["gpt\x00", "a" * 201])
def test_a_model_id_that_no_column_can_hold_is_a_bad_reply(path: str, body: dict[str, Any], model: str) -> None:
    assert parse(path, body) == "Drink ORS."
    with pytest.raises(BadUpstreamReply):
        parse(path, body | {"model": model})
    with pytest.raises(BadUpstreamReply):
        parse_model_ids(json.dumps({"data": [{"id": model}]}).encode())


@BODIES
@pytest.mark.parametrize("model", ["gpt-4o\n", "gpt 4o", "<b>gpt</b>", "gpt\u202e", "गpt", ""])
def test_a_value_that_is_no_model_id_is_replaced_by_the_requested_one(
    path: str, body: dict[str, Any], model: str
) -> None:
    usage = Usage()
    content = json.dumps(body | {"model": model, "usage": {}}).encode()
    answer = parse_answer(path, content, "gpt-5-pro", usage)
    assert (answer.text, answer.model, usage.model) == ("Drink ORS.", "gpt-5-pro", "gpt-5-pro")
    assert parse_model_ids(json.dumps({"data": [{"id": model}, {"id": "ft:gpt-4o:ngo::1"}]}).encode()) == [
        "ft:gpt-4o:ngo::1"
    ]


@BODIES
@pytest.mark.parametrize("count", [-1, 2**31])
def test_a_number_of_tokens_that_no_column_can_hold_is_a_bad_reply(path: str, body: dict[str, Any], count: int) -> None:
    for name in ("prompt_tokens", "completion_tokens") if path == CHAT_PATH else ("input_tokens", "output_tokens"):
        assert parse(path, body | {"usage": {name: 2**31 - 1}}) == "Drink ORS."
        with pytest.raises(BadUpstreamReply):
            parse(path, body | {"usage": {name: count}})


def test_a_failed_response_is_a_bad_reply_whose_tokens_count() -> None:
    usage, body = Usage(), RESPONSES | {"status": "failed", "usage": {"input_tokens": 3}}
    with pytest.raises(BadUpstreamReply):
        parse_answer(RESPONSES_PATH, json.dumps(body).encode(), "gpt-5-pro", usage)
    assert usage.input_tokens == 3


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT_PATH, {"choices": [{"message": {"content": "Drink"}, "finish_reason": "content_filter"}]}),
        (CHAT_PATH, {"choices": [{"message": {"content": "Drink", "refusal": "I cannot help."}}]}),
        (RESPONSES_PATH, RESPONSES | {"incomplete_details": {"reason": "content_filter"}}),
        (RESPONSES_PATH, {"output": [{"type": "message", "content": [{"type": "refusal", "refusal": "I cannot."}]}]}),
    ],
)
def test_a_refused_answer_is_not_an_answer_even_if_it_has_text(path: str, body: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        parse(path, body)
