"""Everything that the Glific stand-in can be told to do with a request, in one list."""

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
"""Bodies for `says(200, ...)`: valid JSON that is neither a login's answer nor a resumption's."""


def respond(status: int, value: Any = None, **headers: str) -> Behaviour:
    """Any status with any JSON."""
    return lambda exchange: exchange.send_json(status, value, **headers)


def server_error(status: int = 500) -> Behaviour:
    return respond(status, {"errors": {"detail": "Internal Server Error"}})


def rate_limit(retry_after: str | None = "1") -> Behaviour:
    headers = {} if retry_after is None else {"retry_after": retry_after}
    return respond(429, {"error": {"status": 429, "message": "Rate limit exceeded"}}, **headers)


def errors(value: Any) -> Behaviour:
    """A refusal that also says success, with these errors: an object or a list of them."""
    return respond(200, {"data": {"resumeContactFlow": {"success": True, "errors": value}}})


def graphql_errors(*messages: str) -> Behaviour:
    """A refusal by GraphQL itself, such as of a field that the login's role may not use."""
    said = [{"message": message, "path": ["resumeContactFlow"]} for message in messages]
    return respond(200, {"data": {"resumeContactFlow": None}, "errors": said})


def forget_tokens() -> Behaviour:
    """Every token is void from now on, that of this request too."""

    def behave(exchange: GlificExchange) -> None:
        exchange.stand_in.state.forget_tokens()
        answer()(exchange)

    return behave


def respond_after(seconds: float, then: Behaviour | None = None) -> Behaviour:
    """Silent for so many seconds, then as Glific does, or `then`."""

    def behave(exchange: GlificExchange) -> None:
        exchange.pause(seconds)
        (then or answer())(exchange)

    return behave


def drop_reply() -> Behaviour:
    """Does all that was asked, and closes the connection without a word."""

    def behave(exchange: GlificExchange) -> None:
        exchange.write = lambda some: None  # type: ignore[method-assign]
        answer()(exchange)
        exchange.close()

    return behave


def truncate_body(status: int = 200) -> Behaviour:
    """Announces more than it sends, and closes."""

    def behave(exchange: GlificExchange) -> None:
        exchange.write(build_head(status, 100) + b'{"data": ')
        exchange.close()

    return behave


def send_slowly(seconds_between: float = 0.1, part: Literal["head", "body"] = "body") -> Behaviour:
    """A reply byte by byte, from its head or its body on: no read is slow, the whole is."""

    def behave(exchange: GlificExchange) -> None:
        body = encode_json({"data": {"resumeContactFlow": {"success": True, "errors": None}}})
        first = build_head(200, len(body))
        at_once, slowly = (b"", first + body) if part == "head" else (first, body)
        exchange.write(at_once)
        for place in range(len(slowly)):
            exchange.pause(seconds_between)
            exchange.write(slowly[place : place + 1])

    return behave


def send_huge_body(bytes_of_body: int = 2 * 1024 * 1024, status: int = 200) -> Behaviour:
    """A reply that goes well, behind more white space than anybody should read."""
    body = encode_json({"data": {"resumeContactFlow": {"success": True, "errors": None}}})
    return lambda exchange: exchange.send(status, b" " * (bytes_of_body - len(body)) + body)
