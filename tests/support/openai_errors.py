"""Behaviours of the OpenAI stand-in that refuse with OpenAI's own codes and messages.

Sources: https://platform.openai.com/docs/guides/error-codes, and answers quoted in public bug reports.
"""

from typing import Literal

from tests.support.openai_answers import answer
from tests.support.openai_exchange import Behaviour, Exchange


def refuse_key() -> Behaviour:
    """401 that repeats a part of the key, like OpenAI."""

    def behave(exchange: Exchange) -> None:
        key = exchange.received.api_key or ""
        masked = f"{key[:8]}{'*' * 12}{key[-4:]}"
        where = "You can find your API key at https://platform.openai.com/account/api-keys."
        _error(401, f"Incorrect API key provided: {masked}. {where}", "invalid_api_key")(exchange)

    return behave


def missing_scopes() -> Behaviour:
    """401 for a valid key that is restricted to other endpoints."""
    return _error(
        401,
        "You have insufficient permissions for this operation. Missing scopes: model.request. Check that you "
        "have the correct role in your organization (Reader, Writer, Owner) and project (Member, Owner), and "
        "if you're using a restricted API key, that it has the necessary scopes.",
    )


def no_permission() -> Behaviour:
    """403 for a valid key of a project that may not use the model."""

    def behave(exchange: Exchange) -> None:
        message = f"Project `proj_stand_in` does not have access to model `{exchange.received.model}`"
        _error(403, message, "model_not_found")(exchange)

    return behave


def wrong_region() -> Behaviour:
    message = (
        "Attempted to access resource with incorrect regional hostname. Please make your request to in.api.openai.com"
    )
    return _error(401, message, "incorrect_hostname")


def out_of_credit() -> Behaviour:
    return _error(
        429,
        "You exceeded your current quota, please check your plan and billing details. For more information "
        "on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
        "insufficient_quota",
        kind="insufficient_quota",
    )


def rate_limit(retry_after: str | None = "1") -> Behaviour:
    headers = {} if retry_after is None else {"retry_after": retry_after}
    message = "Rate limit reached for gpt-4o in organization org-stand-in on requests per min (RPM): Limit 3."
    return _error(429, message, "rate_limit_exceeded", kind="requests", **headers)


def server_error(status: int = 500) -> Behaviour:
    message = "The server had an error while processing your request. Sorry about that!"
    return _error(status, message, kind="server_error")


def unknown_model() -> Behaviour:
    def behave(exchange: Exchange) -> None:
        message = f"The model `{exchange.received.model}` does not exist or you do not have access to it."
        _error(404, message, "model_not_found")(exchange)

    return behave


def not_a_chat_model() -> Behaviour:
    return _error(
        404,
        "This is not a chat model and thus not supported in the v1/chat/completions endpoint. "
        "Did you mean to use v1/completions?",
        param="model",
    )


def responses_only(then: Behaviour | None = None) -> Behaviour:
    """404 on /chat/completions. On /responses, a normal answer or `then`."""
    message = "This model is only supported in v1/responses and not in v1/chat/completions."
    refused, allowed = _error(404, message, param="model"), then or answer()

    def behave(exchange: Exchange) -> None:
        (allowed if exchange.received.path.endswith("/responses") else refused)(exchange)

    return behave


def unsupported(
    param: str,
    code: Literal["unsupported_parameter", "unsupported_value"] = "unsupported_parameter",
    then: Behaviour | None = None,
) -> Behaviour:
    """400 if the parameter is in the body. Otherwise a normal answer or `then`."""

    def behave(exchange: Exchange) -> None:
        body = exchange.received.body or {}
        message = f"Unsupported parameter: '{param}' is not supported with this model."
        if code == "unsupported_value":
            message = f"Unsupported value: '{param}' does not support {body.get(param)} with this model."
        refused = _error(400, message, code, param=param)
        (refused if param in body else then or answer())(exchange)

    return behave


def too_long() -> Behaviour:
    message = (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 200012 "
        "tokens. Please reduce the length of the messages."
    )
    return _error(400, message, "context_length_exceeded", param="messages")


def bad_schema(reason: str = "'additionalProperties' is required to be supplied and to be false.") -> Behaviour:
    """400 with a message that repeats names from the schema, like OpenAI's."""
    message = f"Invalid schema for response_format 'answer': In context=(), {reason}"
    return _error(400, message, param="response_format")


def refuse_request(message: str, code: str | None = None, *, param: str | None = None) -> Behaviour:
    """400 with any message."""
    return _error(400, message, code, param=param)


def unknown_url() -> Behaviour:
    def behave(exchange: Exchange) -> None:
        request = exchange.received
        _error(404, f"Invalid URL ({request.method} {request.path})")(exchange)

    return behave


def _error(
    status: int,
    message: str,
    code: str | None = None,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    **headers: str,
) -> Behaviour:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return lambda exchange: exchange.send_json(status, {"error": error}, **headers)
