"""Adaptations: only OpenAI's codes and its own sentences change a request, and never text that a caller chose."""

import pytest

from glific_gpt.openai.adaptations import UNCHANGED, Adaptations
from glific_gpt.openai.refusals import ApiRefusal
from glific_gpt.openai.request_bodies import CHAT_PATH, RESPONSES_PATH

RESPONSES_ONLY_MESSAGE = "This model is only supported in v1/responses and not in v1/chat/completions."


def refusal(status: int, **body: str) -> ApiRefusal:
    return ApiRefusal.from_error(status, body)


def unsupported(param: str, code: str = "unsupported_parameter") -> ApiRefusal:
    return refusal(400, code=code, param=param)


def test_only_optional_parameters_that_were_sent_are_omitted() -> None:
    body = {"messages": [], "response_format": {}, "temperature": 0}
    for param in ("messages", "response_format.json_schema", "response_format", "max_completion_tokens", ""):
        assert UNCHANGED.after(unsupported(param), CHAT_PATH, body) is None, param
    assert UNCHANGED.after(unsupported("temperature"), CHAT_PATH, body) == Adaptations(
        omitted=frozenset(["temperature"])
    )


def test_a_model_is_asked_through_the_responses_api_when_openai_says_so() -> None:
    for message in (RESPONSES_ONLY_MESSAGE, RESPONSES_ONLY_MESSAGE.replace("in v1", "in /v1")):
        changed = UNCHANGED.after(refusal(404, message=message), CHAT_PATH, {})
        assert changed is not None
        assert (changed.path_for("gpt-a"), UNCHANGED.path_for("gpt-a")) == (RESPONSES_PATH, CHAT_PATH)
        assert UNCHANGED.after(refusal(404, message=message), RESPONSES_PATH, {}) is None
        assert UNCHANGED.after(refusal(500, message=message), CHAT_PATH, {}) is None


@pytest.mark.parametrize(
    "message",
    [
        f"Invalid schema for response_format '{RESPONSES_ONLY_MESSAGE}': 'required' is missing.",
        f"{RESPONSES_ONLY_MESSAGE} is not one of the properties.",
        f"Invalid schema: {RESPONSES_ONLY_MESSAGE}",
        "Invalid schema for response_format 'x': Extra required key 'v1/responses' supplied.",
        "The model `only in v1/responses` does not exist or you do not have access to it.",
    ],
)
def test_text_that_a_caller_chose_changes_no_request(message: str) -> None:
    for status in (400, 404):
        assert UNCHANGED.after(refusal(status, message=message, param="response_format"), CHAT_PATH, {}) is None


@pytest.mark.parametrize(
    ("param", "code", "is_general"),
    [
        ("temperature", "unsupported_value", True),
        ("temperature", "unsupported_parameter", True),
        ("max_completion_tokens", "unsupported_parameter", True),
        ("max_completion_tokens", "unsupported_value", False),
        ("max_output_tokens", "unsupported_value", False),
    ],
)
def test_a_refused_token_limit_says_nothing_about_other_limits(param: str, code: str, is_general: bool) -> None:
    changed = UNCHANGED.after(unsupported(param, code), CHAT_PATH, {param: 1, "temperature": 0})
    assert changed is not None
    assert changed.is_general is is_general
    if param != "temperature":
        again = changed.after(unsupported("temperature"), CHAT_PATH, {"temperature": 0})
        assert again is not None
        assert again.is_general is is_general


def test_a_value_out_of_range_is_an_error_and_not_left_out() -> None:
    body = {"temperature": 9, "max_completion_tokens": 10**6}
    for param, code in (
        ("temperature", "decimal_above_max_value"),
        ("max_completion_tokens", "integer_above_max_value"),
        ("max_completion_tokens", "invalid_value"),
    ):
        assert UNCHANGED.after(unsupported(param, code), CHAT_PATH, body) is None, param
    for param, sent in (("reasoning_effort", {"reasoning_effort": "tiny"}), ("reasoning.effort", {"reasoning": {}})):
        assert UNCHANGED.after(unsupported(param, "invalid_value"), CHAT_PATH, sent) == Adaptations(
            omitted=frozenset(["reasoning_effort"]), is_general=False
        )


def test_every_pass_omits_another_parameter() -> None:
    changed, body = UNCHANGED, {"temperature": 0, "max_completion_tokens": 1, "max_tokens": 1}
    for name in list(body):
        step = changed.after(unsupported(name), CHAT_PATH, body)
        assert step is not None
        del body[name]
        assert step.after(unsupported(name), CHAT_PATH, body) is None
        changed = step
    assert changed.omitted == {"temperature", "max_completion_tokens", "max_tokens"}
