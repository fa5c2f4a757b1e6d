"""The function parse_via_chat_gpt: answer a question, like Glific's own function with this name."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from glific_gpt.errors import MSG_BUDGET_TOO_SMALL, BadUpstreamReply, BudgetExceeded
from glific_gpt.functions.contract import (
    EMPTY_QUESTION,
    Answer,
    Deadline,
    Function,
    FunctionBody,
    LanguageModel,
    Question,
)
from glific_gpt.functions.json_answers import decode_answer
from glific_gpt.functions.values import blank_to_none, parse_number
from glific_gpt.runtime import cpu_bound


def _not_blank(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise PydanticCustomError(EMPTY_QUESTION, "the question is empty")
    return value


class JsonObject(TypedDict):
    """Ask for a JSON object of any shape."""

    type: Literal["json_object"]


class JsonSchema(TypedDict):
    """Ask for JSON that matches a schema."""

    type: Literal["json_schema"]
    json_schema: Annotated[dict[str, Any], Field(min_length=1)]


class ParseViaChatGptBody(FunctionBody):
    """The fields of parse_via_chat_gpt."""

    question_text: Annotated[str, BeforeValidator(_not_blank), Field(validate_default=True)] = ""
    prompt: Annotated[str | None, BeforeValidator(blank_to_none)] = None
    """The system message."""
    temperature: Annotated[float, BeforeValidator(parse_number), Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, BeforeValidator(parse_number), Field(ge=1, le=1_000_000)] | None = None
    response_format: Annotated[JsonObject | JsonSchema, Field(discriminator="type")] | None = None


def handle(body: ParseViaChatGptBody, model: LanguageModel, _deadline: Deadline) -> JsonValue:
    """Return the answer as text, or decoded if it is JSON."""
    answer = model.ask(
        Question(
            text=body.question_text,
            instructions=body.prompt,
            temperature=body.temperature,
            max_tokens=body.max_tokens,
            response_format=dict(body.response_format) if body.response_format else None,
        )
    )
    is_long = len(answer.text) > cpu_bound.LARGE_CHARACTERS
    return cpu_bound.run(lambda: decode(answer, is_required=body.response_format is not None), is_long=is_long)


def decode(answer: Answer, *, is_required: bool) -> JsonValue:
    """Return the decoded JSON of an answer, or its text if it is no JSON and the flow did not ask for JSON.

    Raises BadUpstreamReply and BudgetExceeded.
    """
    try:
        return decode_answer(answer.text, any_value=is_required)
    except ValueError:
        if not is_required:
            return answer.text
        if answer.cut_off_by_budget:
            raise BudgetExceeded(MSG_BUDGET_TOO_SMALL) from None
        advice = "Allow more tokens with max_tokens." if answer.cut_off else "Try again in a minute."
        raise BadUpstreamReply(f"The model's answer is not valid JSON. {advice}") from None


function = Function(name="parse_via_chat_gpt", body=ParseViaChatGptBody, handle=handle, blocks=False)
