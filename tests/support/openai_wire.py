"""Behaviours of the OpenAI stand-in below the API: late, truncated, slow, silent, not JSON."""

from http.client import responses as phrases
from typing import Literal

from tests.support.openai_answers import answer
from tests.support.openai_exchange import Behaviour, Exchange, build_head, encode_json
from tests.support.openai_shapes import ModelOutput, build_body

_CHUNK_BYTES = 8


def respond_after(seconds: float, then: Behaviour | None = None) -> Behaviour:
    """Wait for this time, then send a normal answer or behave as `then`."""

    def behave(exchange: Exchange) -> None:
        exchange.pause(seconds)
        (then or answer())(exchange)

    return behave


def never_respond() -> Behaviour:
    """Accept the request and send nothing until the stand-in is reset or closed."""
    return lambda exchange: exchange.pause(None)


def close_connection() -> Behaviour:
    """Close the connection without a response."""
    return lambda exchange: exchange.close()


def truncate_body(then: Literal["close", "hang"] = "close") -> Behaviour:
    """Announce a whole answer, send half of its JSON, and close the connection or send nothing more."""

    def behave(exchange: Exchange) -> None:
        body = encode_json(build_body(exchange, ModelOutput("Half of this is lost.")))
        exchange.write(build_head(200, len(body)) + body[: len(body) // 2])
        if then == "hang":
            exchange.pause(None)
        exchange.close()

    return behave


def send_slowly(seconds_between: float = 0.5, part: Literal["head", "body"] = "body") -> Behaviour:
    """Send a normal answer a few bytes at a time, from its head or its body on. No single read is slow."""

    def behave(exchange: Exchange) -> None:
        body = encode_json(build_body(exchange, ModelOutput("Hello, drop by drop.")))
        first = build_head(200, len(body))
        immediate, slow = (b"", first + body) if part == "head" else (first, body)
        exchange.write(immediate)
        for start in range(0, len(slow), _CHUNK_BYTES):
            exchange.pause(seconds_between)
            exchange.write(slow[start : start + _CHUNK_BYTES])

    return behave


def send_html(status: int = 200) -> Behaviour:
    """Send a web page, as proxies do."""
    page = b"<html><head><title>Please wait</title></head><body>A page, not an API.</body></html>"
    return lambda exchange: exchange.send(status, page, content_type="text/html; charset=utf-8")


def send_empty_body() -> Behaviour:
    """Send the status 200 with an empty body."""
    return lambda exchange: exchange.send(200, b"")


def send_exactly(status: int, headers: list[tuple[str, str]], body: bytes) -> Behaviour:
    """Send these bytes with exactly these headers, besides the length."""

    def behave(exchange: Exchange) -> None:
        lines = [f"HTTP/1.1 {status} {phrases.get(status, 'Unknown')}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        exchange.write("\r\n".join([*lines, "", ""]).encode() + body)

    return behave


def redirect(to: str) -> Behaviour:
    """Redirect to another URL with the status 302."""
    return lambda exchange: exchange.send(302, b"", location=to)
