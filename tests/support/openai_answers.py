"""Behaviours of the OpenAI stand-in with the status 200: normal, empty and malformed answers."""

import json
import re
from typing import Any, NamedTuple

from glific_gpt.operations.doctor.memory import SECOND_QUESTION
from tests.support.openai_exchange import Behaviour, Exchange
from tests.support.openai_shapes import ModelOutput, build_body

WRONG_SHAPES: tuple[Any, ...] = (
    [],
    "just a text",
    None,
    {},
    {"choices": "many", "output": "much"},
    {"choices": [None], "output": [None]},
    {"choices": [{"message": "hi"}], "output": [{"type": "message", "content": "hi"}]},
    {
        "choices": [{"message": {"role": "assistant", "content": 42}, "finish_reason": "stop"}],
        "output": [{"type": "message", "content": [{"type": "output_text", "text": 42}]}],
    },
)
"""Bodies for `wrong_shape`: valid JSON that is neither an answer of chat nor of the Responses API."""


def answer(
    text: str | None = "Hello from the stand-in.",
    *,
    input_tokens: int = 11,
    output_tokens: int = 7,
    finish_reason: str = "stop",
    after: float = 0.0,
    usage: bool = True,
) -> Behaviour:
    """Answer normally after `after` seconds. For GET /models the answer is the list of models."""
    return _answer_with(ModelOutput(text, None, finish_reason, input_tokens, output_tokens, usage), after)


def answer_with_memory(exchange: Exchange) -> None:
    """Give the usual answer, but the number of an earlier message to the doctor's question about it."""
    told = re.search(r"My number is (\d+)", json.dumps(exchange.received.body))
    is_asked = exchange.received.question == SECOND_QUESTION
    (answer(f"Your number is {told[1]}.") if told and is_asked else answer())(exchange)


def json_answer(value: Any) -> Behaviour:
    """Answer with the value as JSON text, like a model that was asked for JSON."""
    return answer(json.dumps(value))


def refusal(text: str = "I'm sorry, I can't help with that.") -> Behaviour:
    return _answer_with(ModelOutput(None, refusal=text))


def content_filter_stop() -> Behaviour:
    """Answer as if OpenAI's content filter had stopped the output before its first word."""
    return answer("", finish_reason="content_filter")


def empty(content: str | None = "") -> Behaviour:
    return answer(content)


class Echo(NamedTuple):
    """The sender and content of a call. Keys must differ in their last four characters to detect a mix-up."""

    last4: str
    model: str
    question: str

    @classmethod
    def read(cls, text: str) -> "Echo":
        """Parse the text of `echo()`. Raises ValueError for any other text."""
        found = re.fullmatch(r"key=(\S*) model=(\S*) question=(.*)", text, re.DOTALL)
        if not found:
            raise ValueError(f"not an echo: {text}")
        return cls(*found.groups())


def echo() -> Behaviour:
    """Answer `key=wxyz model=gpt-4o question=What is ORS?`, so that tests detect a mix-up of tenants."""

    def behave(exchange: Exchange) -> None:
        request = exchange.received
        answer(f"key={(request.api_key or '')[-4:]} model={request.model} question={request.question}")(exchange)

    return behave


def _answer_with(output: ModelOutput, after: float = 0.0) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.pause(after)
        exchange.send_json(200, build_body(exchange, output))

    return behave


def no_choices() -> Behaviour:
    """Answer normally, except that the list of choices (chat) or outputs (Responses API) is empty."""

    def behave(exchange: Exchange) -> None:
        body = build_body(exchange, ModelOutput(None))
        exchange.send_json(200, {name: [] if name in ("choices", "output") else body[name] for name in body})

    return behave


def wrong_shape(body: Any = WRONG_SHAPES[0]) -> Behaviour:
    """Answer with any JSON."""
    return lambda exchange: exchange.send_json(200, body)
