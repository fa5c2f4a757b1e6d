"""Servers that imitate the OpenAI API: their replies, as they are quoted in their documentation and public reports."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt import errors
from glific_gpt.clock import Deadline
from glific_gpt.errors import GlificGptError, InvalidApiKey, ModelNotSupported
from glific_gpt.openai.chat import Question
from glific_gpt.openai.error_mapping import error_for_refusal
from glific_gpt.openai.gateway import Gateway
from glific_gpt.openai.other_servers import OtherServer, name_server
from glific_gpt.openai.refusals import ApiRefusal
from tests.support.openai_behaviours import answer, refuse_key, unsupported
from tests.support.openai_exchange import Behaviour, Exchange
from tests.support.openai_stand_in import OpenAIStandIn

KEY = SecretStr("a-key-of-another-server")


def flat(message: str, kind: str, code: int) -> dict[str, Any]:
    """An error of vLLM before 0.10, and of servers that were made like it."""
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code}


def nested(**error: Any) -> dict[str, Any]:
    return {"error": error}


REPLIES: dict[str, tuple[int, Any, str]] = {
    "vLLM: unknown model": (404, flat("The model `x` does not exist.", "NotFoundError", 404), "model_not_found"),
    "vLLM: wrong key": (401, {"error": "Unauthorized"}, "invalid_api_key"),
    "vLLM: long question": (
        400,
        flat(
            "This model's maximum context length is 4096 tokens. However, you asked for 5000.", "BadRequestError", 400
        ),
        "invalid_field",
    ),
    "llama.cpp: wrong key": (
        401,
        nested(code=401, message="Invalid API Key", type="authentication_error"),
        "invalid_api_key",
    ),
    "llama.cpp: still loading": (
        503,
        nested(code=503, message="Loading model", type="unavailable_error"),
        "upstream_error",
    ),
    "llama.cpp: long question": (
        400,
        nested(
            code=400,
            message="request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it",
            type="exceed_context_size_error",
        ),
        "invalid_field",
    ),
    "Ollama: unknown model": (
        404,
        nested(message='model "x" not found, try pulling it first', type="api_error", param=None, code=None),
        "model_not_found",
    ),
    "LiteLLM: unknown model": (
        400,
        nested(
            message="/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to view available "
            "models for your key.",
            type="invalid_request_error",
            param="model",
            code="400",
        ),
        "model_not_found",
    ),
    "LiteLLM: model not allowed": (
        401,
        nested(
            message="key not allowed to access model. This key can only access models=['a']",
            type="key_model_access_denied",
            param="model",
            code="401",
        ),
        "model_not_found",
    ),
    "LiteLLM: wrong key": (
        401,
        nested(
            message="Authentication Error, Invalid proxy server token passed.",
            type="token_not_found_in_db",
            param="key",
            code="401",
        ),
        "invalid_api_key",
    ),
    "LiteLLM: no money left": (
        400,
        nested(message="Budget has been exceeded! Current cost: 1", type="budget_exceeded", param=None, code="400"),
        "insufficient_quota",
    ),
    "Sarvam: wrong key": (403, nested(message="Invalid API key", code="invalid_api_key_error"), "invalid_api_key"),
    "Sarvam: no credit": (429, nested(message="No credits", code="insufficient_quota_error"), "insufficient_quota"),
    "Sarvam: limit": (429, nested(message="Rate limit", code="rate_limit_exceeded_error"), "rate_limited"),
    "Azure: unknown deployment": (
        404,
        nested(code="DeploymentNotFound", message="The API deployment for this resource does not exist."),
        "model_not_found",
    ),
    "Azure: limit": (
        429,
        nested(code="429", message="Requests have exceeded the token rate limit. Please retry after 26 seconds."),
        "rate_limited",
    ),
    "Azure: unsafe question": (400, nested(code="content_filter", message="The response was filtered"), "refused"),
    "no API": (404, {"detail": "Not Found"}, "upstream_error"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_their_errors_are_understood(name: str) -> None:
    status, body, code = REPLIES[name]
    refusal = ApiRefusal.parse(status, [], json.dumps(body).encode())
    reworded = OtherServer("llm.example.org").reword(error_for_refusal(refusal, "x"), refusal, "x")
    assert reworded.code == code
    assert reworded.cause == refusal.cause
    named = name_server(reworded, "https://llm.example.org/v1")
    assert "OpenAI" not in str(named).replace("no OpenAI API", "")
    if code not in {"refused", "invalid_field"}:
        assert str(reworded).startswith("The server llm.example.org ")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errors.ModelRefused(errors.MSG_UNSAFE), "The server llm.example.org's safety system did not accept this"),
        (errors.InvalidField(errors.MSG_PICTURE_NOT_DOWNLOADED), "url: the server llm.example.org could not download"),
        (errors.InvalidField(errors.MSG_NOT_A_PICTURE), "url: this is not a picture that the server llm.example.org"),
        (errors.DeadlineExceeded(), "The server llm.example.org did not answer in time."),
        (errors.UpstreamError(), "The server llm.example.org could not be reached"),
        (errors.CredentialInactive(), "This organization's OpenAI key is switched off."),
    ],
)
def test_sentences_about_openai_name_the_server_of_the_key(error: GlificGptError, sentence: str) -> None:
    original = str(error)
    for base_url in (None, "https://in.api.openai.com/v1", "https://x.openai.azure.com/openai/v1"):
        assert str(name_server(error, base_url)) == original
    assert str(name_server(error, "https://llm.example.org/v1")).startswith(sentence)


def test_azures_wait_is_known() -> None:
    status, body, _ = REPLIES["Azure: limit"]
    refusal = ApiRefusal.parse(status, [], json.dumps(body).encode())
    assert error_for_refusal(refusal, "x").retry_after == 26


def ask(gateway: Gateway, question: Question, model: str = "Qwen/Qwen3-8B") -> None:
    gateway.bind(KEY, model, Deadline.after(5)).ask(question)


def unknown_field(field: str, body: Any) -> Behaviour:
    """Refuse a field as a server does that forbids unknown ones."""

    def respond(exchange: Exchange) -> None:
        if field in exchange.received.body:
            exchange.send_json(400, body)
        else:
            answer()(exchange)

    return respond


def test_max_tokens_is_sent_because_older_servers_ignore_its_successor(openai: OpenAIStandIn) -> None:
    ask(Gateway(openai.base_url, imitates=True), Question("What is ORS?", max_tokens=50))
    (sent,) = openai.requests
    assert (sent.body["max_tokens"], "max_completion_tokens" in sent.body) == (50, False)


def test_a_server_that_refuses_max_tokens_gets_its_successor(openai: OpenAIStandIn) -> None:
    gateway = Gateway(openai.base_url, imitates=True)
    openai.always(unsupported("max_tokens"))
    for _ in range(2):
        ask(gateway, Question("What is ORS?", max_tokens=50))
    limits = [{"max_tokens", "max_completion_tokens"} & sent.body.keys() for sent in openai.requests]
    assert limits == [{"max_tokens"}, {"max_completion_tokens"}, {"max_completion_tokens"}]


EXTRA = "[{'type': 'extra_forbidden', 'loc': ('body', 'verbosity'), 'msg': 'Extra inputs are not permitted'}]"
UNKNOWN_FIELDS = {
    "vLLM": flat(EXTRA, "BadRequestError", 400),
    "FastAPI": {"detail": [{"type": "extra_forbidden", "loc": ["body", "verbosity"], "msg": "Extra inputs"}]},
    "LiteLLM": nested(
        message="litellm.UnsupportedParamsError: ollama does not support parameters: ['verbosity'], for model=x.",
        type="None",
        code="400",
    ),
}


@pytest.mark.parametrize("server", UNKNOWN_FIELDS)
def test_an_option_that_a_server_does_not_know_is_left_out(openai: OpenAIStandIn, server: str) -> None:
    openai.always(unknown_field("verbosity", UNKNOWN_FIELDS[server]))
    ask(Gateway(openai.base_url, imitates=True), Question("What is ORS?", verbosity="low"))
    assert ["verbosity" in sent.body for sent in openai.requests] == [True, False]


@pytest.mark.parametrize("model", ["o1-pro", "gpt-5.1-codex"])
def test_only_chat_completions_are_asked(openai: OpenAIStandIn, model: str) -> None:
    ask(Gateway(openai.base_url, imitates=True), Question("What is ORS?"), model)
    assert [sent.path for sent in openai.requests] == ["/v1/chat/completions"]


def test_documents_cannot_be_searched(openai: OpenAIStandIn) -> None:
    with pytest.raises(ModelNotSupported, match=r"127\.0\.0\.1 cannot search documents"):
        ask(Gateway(openai.base_url, imitates=True), Question("What is ORS?", vector_store_ids=("vs_1",)))
    with pytest.raises(ModelNotSupported):
        Gateway(openai.base_url, imitates=True).documents(KEY, Deadline.after(5))
    assert openai.requests == []


def test_a_server_that_demands_the_responses_api_is_not_asked_for_ever(openai: OpenAIStandIn) -> None:
    message = "This model is only supported in v1/responses and not in v1/chat/completions."
    openai.always(lambda exchange: exchange.send_json(404, nested(message=message)))
    with pytest.raises(GlificGptError):
        ask(Gateway(openai.base_url, imitates=True), Question("What is ORS?"))
    assert len(openai.requests) == 1


def test_a_failure_without_a_reply_names_the_server(openai: OpenAIStandIn) -> None:
    openai.close()
    with pytest.raises(errors.UpstreamError, match=r"The server 127\.0\.0\.1 could not be reached"):
        Gateway(openai.base_url, imitates=True).list_models(KEY, Deadline.after(0.4))


def test_a_refused_key_names_the_server(openai: OpenAIStandIn) -> None:
    openai.for_models(refuse_key())
    with pytest.raises(InvalidApiKey, match=r"The server 127\.0\.0\.1 refused this key"):
        Gateway(openai.base_url, imitates=True).list_models(KEY, Deadline.after(5))
