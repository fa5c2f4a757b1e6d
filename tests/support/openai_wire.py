"""Behaviours of the OpenAI stand-in below the API: late, broken off, byte by byte, silent, not JSON."""

from typing import Literal

from tests.support.openai_answers import answer
from tests.support.openai_exchange import Behaviour, Exchange, build_head, encode_json
from tests.support.openai_shapes import ModelOutput, build_body

_CHUNK_BYTES = 8


def respond_after(seconds: float, then: Behaviour | None = None) -> Behaviour:
    """Silent for so many seconds, then a good answer, or `then`."""

    def behave(exchange: Exchange) -> None:
        exchange.pause(seconds)
        (then or answer())(exchange)

    return behave


def never_respond() -> Behaviour:
    """Accepts the request and stays silent until the stand-in is reset or closed."""
    return lambda exchange: exchange.pause(None)


def close_connection() -> Behaviour:
    """Closes the connection without a word."""
    return lambda exchange: exchange.close()


def truncate_body(then: Literal["close", "hang"] = "close") -> Behaviour:
    """Announces a whole answer, sends half of its JSON, and closes or falls silent."""

    def behave(exchange: Exchange) -> None:
        body = encode_json(build_body(exchange, ModelOutput("Half of this is lost.")))
        exchange.write(build_head(200, len(body)) + body[: len(body) // 2])
        if then == "hang":
            exchange.pause(None)
        exchange.close()

    return behave


def send_slowly(seconds_between: float = 0.5, part: Literal["head", "body"] = "body") -> Behaviour:
    """A good answer, a few bytes at a time from its head or its body on: no read is slow, the whole is."""

    def behave(exchange: Exchange) -> None:
        body = encode_json(build_body(exchange, ModelOutput("Hello, drop by drop.")))
        first = build_head(200, len(body))
        at_once, slowly = (b"", first + body) if part == "head" else (first, body)
        exchange.write(at_once)
        for start in range(0, len(slowly), _CHUNK_BYTES):
            exchange.pause(seconds_between)
            exchange.write(slowly[start : start + _CHUNK_BYTES])

    return behave


def send_html(status: int = 200) -> Behaviour:
    """A web page, as proxies on the way answer."""
    page = b"<html><head><title>Please wait</title></head><body>A page, not an API.</body></html>"
    return lambda exchange: exchange.send(status, page, content_type="text/html; charset=utf-8")


def send_empty_body() -> Behaviour:
    """200 with an empty body."""
    return lambda exchange: exchange.send(200, b"")


def redirect(to: str) -> Behaviour:
    """302 to another URL."""
    return lambda exchange: exchange.send(302, b"", location=to)
