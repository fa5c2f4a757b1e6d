"""Behaviours of the OpenAI stand-in that answer with status 200: well, with nothing, in a wrong shape."""

import json
import re
from typing import Any, NamedTuple

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
"""Bodies for `wrong_shape`: valid JSON that is no answer, neither of chat nor of responses."""


def answer(
    text: str | None = "Hello from the stand-in.",
    *,
    input_tokens: int = 11,
    output_tokens: int = 7,
    finish_reason: str = "stop",
    after: float = 0.0,
    usage: bool = True,
) -> Behaviour:
    """A good answer, `after` seconds; for GET /models that is the list of models."""
    return _answer_with(ModelOutput(text, None, finish_reason, input_tokens, output_tokens, usage), after)


def json_answer(value: Any) -> Behaviour:
    """The value as the JSON text that a model answers with when asked for JSON."""
    return answer(json.dumps(value))


def refusal(text: str = "I'm sorry, I can't help with that.") -> Behaviour:
    return _answer_with(ModelOutput(None, refusal=text))


def content_filter_stop() -> Behaviour:
    """Cut off by OpenAI's content filter before a word was said."""
    return answer("", finish_reason="content_filter")


def empty(content: str | None = "") -> Behaviour:
    return answer(content)


class Echo(NamedTuple):
    """Who asked what. Give tenants keys whose last four characters differ, or a mix-up stays unseen."""

    last4: str
    model: str
    question: str

    @classmethod
    def read(cls, text: str) -> "Echo":
        """From the text of `echo()`. Raises ValueError for any other text."""
        found = re.fullmatch(r"key=(\S*) model=(\S*) question=(.*)", text, re.DOTALL)
        if not found:
            raise ValueError(f"not an echo: {text}")
        return cls(*found.groups())


def echo() -> Behaviour:
    """Answers `key=wxyz model=gpt-4o question=What is ORS?`, so that a mix-up of tenants is seen."""

    def behave(exchange: Exchange) -> None:
        asked = exchange.received
        answer(f"key={(asked.api_key or '')[-4:]} model={asked.model} question={asked.question}")(exchange)

    return behave


def _answer_with(said: ModelOutput, after: float = 0.0) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.pause(after)
        exchange.send_json(200, build_body(exchange, said))

    return behave


def no_choices() -> Behaviour:
    """A good answer but for its list of choices (chat) or output (responses), which is empty."""

    def behave(exchange: Exchange) -> None:
        body = build_body(exchange, ModelOutput(None))
        exchange.send_json(200, {name: [] if name in ("choices", "output") else body[name] for name in body})

    return behave


def wrong_shape(body: Any = WRONG_SHAPES[0]) -> Behaviour:
    """Any JSON at all."""
    return lambda exchange: exchange.send_json(200, body)
