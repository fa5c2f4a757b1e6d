"""What OpenAI has taught about one model is remembered for it alone, and not without end."""

import httpx2
import openai

from glific_gpt.openai.failures import Refusal
from glific_gpt.openai.learned import MAX_MODELS, Learned
from glific_gpt.openai.requests import CHAT, RESPONSES

ONLY_RESPONSES = "This model is only supported in v1/responses and not in v1/chat/completions."


def refusal(status: int, **body: str) -> Refusal:
    response = httpx2.Response(status, request=httpx2.Request("POST", "http://127.0.0.1/"))
    return Refusal(openai.APIStatusError("x", response=response, body=body))


def unsupported(param: str) -> Refusal:
    return refusal(400, code="unsupported_parameter", param=param)


def test_a_model_keeps_what_it_taught_to_itself() -> None:
    learned = Learned()
    assert learned.from_refusal("gpt-a", CHAT, {"temperature": 0}, unsupported("temperature"))
    assert learned.dropped("gpt-a") == {"temperature"}
    assert learned.dropped("gpt-b") == frozenset()
    assert learned.from_refusal("gpt-a", CHAT, {}, refusal(404, message=ONLY_RESPONSES))
    assert (learned.path("gpt-a"), learned.path("gpt-b")) == (RESPONSES, CHAT)


def test_nothing_is_learned_that_would_change_the_question_or_was_not_sent() -> None:
    learned = Learned()
    body = {"messages": [], "response_format": {}, "temperature": 0}
    for param in ("messages", "response_format.json_schema", "response_format", "max_completion_tokens", ""):
        assert not learned.from_refusal("gpt-a", CHAT, body, unsupported(param)), param
    assert not learned.from_refusal("gpt-a", RESPONSES, body, refusal(404, message=ONLY_RESPONSES))
    assert not learned.from_refusal("gpt-a", CHAT, body, refusal(500, message=ONLY_RESPONSES))
    assert (learned.dropped("gpt-a"), learned.path("gpt-a")) == (frozenset(), CHAT)


def test_it_does_not_grow_for_ever() -> None:
    learned = Learned()
    for number in range(MAX_MODELS + 1):
        assert learned.from_refusal(f"gpt-{number}", CHAT, {"temperature": 0}, unsupported("temperature"))
    assert sum(bool(learned.dropped(f"gpt-{number}")) for number in range(MAX_MODELS + 1)) < MAX_MODELS
