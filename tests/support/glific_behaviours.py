"""All behaviours of the Glific stand-in. A behaviour handles one request."""

from typing import Any, Literal

from tests.support.glific_answers import accept_login, answer, not_waiting_error
from tests.support.glific_exchange import Behaviour, GlificExchange
from tests.support.openai_exchange import build_head, encode_json
from tests.support.openai_wire import close_connection, never_respond, redirect, send_empty_body, send_html

__all__ = [
    "WRONG_SHAPES",
    "Behaviour",
    "accept_login",
    "answer",
    "close_connection",
    "drop_reply",
    "errors",
    "forget_tokens",
    "graphql_errors",
    "never_respond",
    "not_waiting_error",
    "rate_limit",
    "redirect",
    "respond",
    "respond_after",
    "send_empty_body",
    "send_html",
    "send_huge_body",
    "send_slowly",
    "server_error",
    "truncate_body",
]

WRONG_SHAPES: tuple[Any, ...] = (
    [],
    "just a text",
    None,
    42,
    {},
    {"data": None},
    {"data": []},
    {"data": {}},
    {"data": {"resumeContactFlow": None}},
    {"data": {"resumeContactFlow": "done"}},
    {"data": {"resumeContactFlow": {"success": True}}},
    {"data": {"resumeContactFlow": {"success": True, "errors": False}}},
    {"data": {"access_token": 42}},
    {"data": {"access_token": ""}},
    {"data": {"access_token": "two\r\nlines"}},
)
"""Bodies for `respond(200, ...)`: valid JSON that is neither the response to a login nor to a resumption."""


def respond(status: int, value: Any = None, **headers: str) -> Behaviour:
    """Respond with this status and this JSON."""
    return lambda exchange: exchange.send_json(status, value, **headers)


def server_error(status: int = 500) -> Behaviour:
    return respond(status, {"errors": {"detail": "Internal Server Error"}})


def rate_limit(retry_after: str | None = "1") -> Behaviour:
    headers = {} if retry_after is None else {"retry_after": retry_after}
    return respond(429, {"error": {"status": 429, "message": "Rate limit exceeded"}}, **headers)


def errors(value: Any) -> Behaviour:
    """Refuse with `success: true` and these errors, which can be an object or a list."""
    return respond(200, {"data": {"resumeContactFlow": {"success": True, "errors": value}}})


def graphql_errors(*messages: str) -> Behaviour:
    """Refuse with GraphQL errors, for example for a field that the login's role may not use."""
    graphql = [{"message": message, "path": ["resumeContactFlow"]} for message in messages]
    return respond(200, {"data": {"resumeContactFlow": None}, "errors": graphql})


def forget_tokens() -> Behaviour:
    """Revoke every token, also that of this request, and respond like Glific."""

    def behave(exchange: GlificExchange) -> None:
        exchange.stand_in.state.forget_tokens()
        answer()(exchange)

    return behave


def respond_after(seconds: float, then: Behaviour | None = None) -> Behaviour:
    """Wait for this time, then behave like Glific or as `then`."""

    def behave(exchange: GlificExchange) -> None:
        exchange.pause(seconds)
        (then or answer())(exchange)

    return behave


def drop_reply() -> Behaviour:
    """Process the request, but close the connection without a response."""

    def behave(exchange: GlificExchange) -> None:
        exchange.write = lambda some: None  # type: ignore[method-assign]
        answer()(exchange)
        exchange.close()

    return behave


def truncate_body(status: int = 200) -> Behaviour:
    """Send less than the announced length, and close the connection."""

    def behave(exchange: GlificExchange) -> None:
        exchange.write(build_head(status, 100) + b'{"data": ')
        exchange.close()

    return behave


def send_slowly(seconds_between: float = 0.1, part: Literal["head", "body"] = "body") -> Behaviour:
    """Send a response byte by byte from its head or its body on. No single read is slow, but the response is."""

    def behave(exchange: GlificExchange) -> None:
        body = encode_json({"data": {"resumeContactFlow": {"success": True, "errors": None}}})
        first = build_head(200, len(body))
        immediate, slow = (b"", first + body) if part == "head" else (first, body)
        exchange.write(immediate)
        for position in range(len(slow)):
            exchange.pause(seconds_between)
            exchange.write(slow[position : position + 1])

    return behave


def send_huge_body(bytes_of_body: int = 2 * 1024 * 1024, status: int = 200) -> Behaviour:
    """Send a successful response after more white space than a client should read."""
    body = encode_json({"data": {"resumeContactFlow": {"success": True, "errors": None}}})
    return lambda exchange: exchange.send(status, b" " * (bytes_of_body - len(body)) + body)
