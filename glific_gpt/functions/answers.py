"""Options and answers that functions share: the form of the answer, and its decoding."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue
from typing_extensions import TypedDict

from glific_gpt.errors import MSG_BUDGET_TOO_SMALL, BadUpstreamReply, BudgetExceeded
from glific_gpt.functions.contract import Answer, FunctionBody
from glific_gpt.functions.json_answers import decode_answer
from glific_gpt.functions.values import parse_number
from glific_gpt.runtime import cpu_bound


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


class AnswerOptions(FunctionBody):
    """Fields that determine the answer of the model."""

    prompt: str | None = None
    """Instructions for the model."""
    temperature: Annotated[float, BeforeValidator(parse_number), Field(ge=0, le=2)] | None = None
    """How much the answers vary. Without it, they vary least."""
    max_tokens: Annotated[int, BeforeValidator(parse_number), Field(ge=1, le=1_000_000)] | None = None
    """Longest answer in tokens."""
    response_format: (
        Annotated[
            JsonObject | JsonSchema,
            Field(discriminator="type"),
            BeforeValidator(_require_format),
        ]
        | None
    ) = None
    """Asks for JSON."""
    reasoning_effort: Level | None = None
    """Passed on to models that think: none, minimal, low, medium, high, xhigh or max."""
    verbosity: Level | None = None
    """Passed on to models that accept it: low, medium or high."""

    def question_options(self) -> dict[str, Any]:
        """Return the options of a Question, without its text and its instructions."""
        return {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "response_format": dict(self.response_format) if self.response_format else None,
            "reasoning_effort": self.reasoning_effort,
            "verbosity": self.verbosity,
        }

    def read_answer(self, answer: Answer) -> JsonValue:
        """Return the answer as text, or decoded if it is JSON. Raises BadUpstreamReply and BudgetExceeded."""
        is_long = len(answer.text) > cpu_bound.LARGE_CHARACTERS
        return cpu_bound.run(lambda: decode(answer, is_required=self.response_format is not None), is_long=is_long)


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
