"""Decode answers that are JSON, like Glific's own function: prompts often ask for JSON without `response_format`."""

from typing import cast

from pydantic import JsonValue

from glific_gpt.functions.values import decode_json
from glific_gpt.glific.model_output import remove_thinking, unwrap_fence
from glific_gpt.openai.json_size import MAX_ANSWER_VALUES, has_more_values


def decode_answer(text: str, *, any_value: bool) -> JsonValue:
    """Return the decoded JSON of an answer. It may be in a code fence, or after the model's thinking.

    Without `any_value` only objects, lists and quoted texts count: `42` and `true` stay text. Raises ValueError, also
    for JSON that takes long to decode.
    """
    for candidate in (text, remove_thinking(text)):
        fence = unwrap_fence(candidate)
        source = (fence[0] if fence else candidate).strip().removeprefix("\ufeff")
        if not any_value and not source.startswith(("{", "[", '"')):
            continue
        if has_more_values(source, MAX_ANSWER_VALUES):
            continue
        try:
            return cast("JsonValue", decode_json(source))
        except ValueError:
            continue
    raise ValueError("the answer is not JSON")
