"""The function parse_via_chat_gpt: answer a question, like Glific's own function with this name."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, JsonValue
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from glific_gpt.errors import MSG_BUDGET_TOO_SMALL, BadUpstreamReply, BudgetExceeded
from glific_gpt.functions.contract import (
    EMPTY_QUESTION,
    N_,
    Answer,
    Deadline,
    Function,
    FunctionBody,
    LanguageModel,
    Question,
)
from glific_gpt.functions.json_answers import decode_answer
from glific_gpt.functions.values import parse_number
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


def _require_format(value: Any) -> Any:
    """Refuse other values than a format with the author's own words."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "json_object" or (kind == "json_schema" and isinstance(value.get("json_schema"), dict)):
        return value
    if kind == "json_schema":
        raise ValueError('it needs the schema too, as "json_schema": {"name": "...", "schema": {...}}')
    raise ValueError('this must be {"type": "json_object"}, or {"type": "json_schema", "json_schema": {...}}')


def _read_level(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


Level = Annotated[str, BeforeValidator(_read_level), Field(pattern=r"^[a-z]{1,20}$")]
"""A level in one word. OpenAI adds words with new models, so that its own list decides."""


class ParseViaChatGptBody(FunctionBody):
    """The fields of parse_via_chat_gpt."""

    TYPED_FIELDS: ClassVar[frozenset[str]] = frozenset({"question_text"})

    question_text: Annotated[str, BeforeValidator(_not_blank), Field(validate_default=True)] = ""
    prompt: str | None = None
    """The system message."""
    temperature: Annotated[float, BeforeValidator(parse_number), Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, BeforeValidator(parse_number), Field(ge=1, le=1_000_000)] | None = None
    response_format: (
        Annotated[
            JsonObject | JsonSchema,
            Field(discriminator="type"),
            BeforeValidator(_require_format),
        ]
        | None
    ) = None
    reasoning_effort: Level | None = None
    """Passed on to models that think: none, minimal, low, medium, high, xhigh or max."""
    verbosity: Level | None = None
    """Passed on to models that accept it: low, medium or high."""


def handle(body: ParseViaChatGptBody, model: LanguageModel, _deadline: Deadline) -> JsonValue:
    """Return the answer as text, or decoded if it is JSON."""
    answer = model.ask(
        Question(
            text=body.question_text,
            instructions=body.prompt,
            temperature=body.temperature,
            max_tokens=body.max_tokens,
            response_format=dict(body.response_format) if body.response_format else None,
            reasoning_effort=body.reasoning_effort,
            verbosity=body.verbosity,
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


function = Function(
    name="parse_via_chat_gpt",
    body=ParseViaChatGptBody,
    handle=handle,
    blocks=False,
    title=N_("Question and answer"),
    help=N_("Answers a question in text. The prompt says how."),
    example={
        "question_text": "When do I sow millet?",
        "prompt": "Answer in less than 5 sentences, in the language of the question.",
    },
    flow_values={"question_text": "@results.question_1.input"},
)
