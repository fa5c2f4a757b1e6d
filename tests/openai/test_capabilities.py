"""Learned capabilities: kept for each model, and limited in number."""

import httpx2
import openai

from glific_gpt.openai.capabilities import MAX_LEARNED_MODELS, LearnedCapabilities
from glific_gpt.openai.error_mapping import ApiRefusal
from glific_gpt.openai.request_bodies import CHAT_PATH, RESPONSES_PATH

RESPONSES_ONLY_MESSAGE = "This model is only supported in v1/responses and not in v1/chat/completions."


def refusal(status: int, **body: str) -> ApiRefusal:
    response = httpx2.Response(status, request=httpx2.Request("POST", "http://127.0.0.1/"))
    return ApiRefusal(openai.APIStatusError("x", response=response, body=body))


def unsupported(param: str) -> ApiRefusal:
    return refusal(400, code="unsupported_parameter", param=param)


def test_a_capability_is_kept_for_its_model_only() -> None:
    capabilities = LearnedCapabilities()
    assert capabilities.learn("gpt-a", CHAT_PATH, {"temperature": 0}, unsupported("temperature"))
    assert capabilities.unsupported_parameters("gpt-a") == {"temperature"}
    assert capabilities.unsupported_parameters("gpt-b") == frozenset()
    assert capabilities.learn("gpt-a", CHAT_PATH, {}, refusal(404, message=RESPONSES_ONLY_MESSAGE))
    assert (capabilities.path_for("gpt-a"), capabilities.path_for("gpt-b")) == (RESPONSES_PATH, CHAT_PATH)


def test_only_optional_parameters_that_were_sent_are_learned() -> None:
    capabilities = LearnedCapabilities()
    body = {"messages": [], "response_format": {}, "temperature": 0}
    for param in ("messages", "response_format.json_schema", "response_format", "max_completion_tokens", ""):
        assert not capabilities.learn("gpt-a", CHAT_PATH, body, unsupported(param)), param
    assert not capabilities.learn("gpt-a", RESPONSES_PATH, body, refusal(404, message=RESPONSES_ONLY_MESSAGE))
    assert not capabilities.learn("gpt-a", CHAT_PATH, body, refusal(500, message=RESPONSES_ONLY_MESSAGE))
    assert (capabilities.unsupported_parameters("gpt-a"), capabilities.path_for("gpt-a")) == (frozenset(), CHAT_PATH)


def test_the_number_of_models_is_limited() -> None:
    capabilities = LearnedCapabilities()
    for number in range(MAX_LEARNED_MODELS + 1):
        assert capabilities.learn(f"gpt-{number}", CHAT_PATH, {"temperature": 0}, unsupported("temperature"))
    assert (
        sum(bool(capabilities.unsupported_parameters(f"gpt-{number}")) for number in range(MAX_LEARNED_MODELS + 1))
        < MAX_LEARNED_MODELS
    )
