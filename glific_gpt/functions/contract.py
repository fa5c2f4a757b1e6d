"""The contract of a function, and the validation of its body. A plugin imports everything that it needs from here."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from glific_gpt import validation
from glific_gpt.clock import Deadline
from glific_gpt.errors import EmptyQuestion, GlificGptError, InvalidField, UnresolvedVariable
from glific_gpt.flows.variables import MAX_DEFAULTS, fill_defaults, find_joined, find_unresolved
from glific_gpt.functions.values import blank_to_none, parse_id, parse_number
from glific_gpt.models.allowlist import canonical_id, read_name
from glific_gpt.openai.chat import Answer, LanguageModel, Question
from glific_gpt.settings import MODEL_NAME

__all__ = ["Answer", "Deadline", "Function", "FunctionBody", "JsonValue", "LanguageModel", "Question"]

FUNCTION_NAME = re.compile(r"[a-z0-9_]{1,63}")

ModelName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=MODEL_NAME), BeforeValidator(read_name)]
MIN_CHARACTERS = 100
"""Smallest max_characters: fewer characters hold no useful answer."""
MAX_WAIT_SECONDS = 86_400
"""One day. After that WhatsApp allows only template messages."""
MAX_CHARACTERS = 4096
"""Largest max_characters. Flows that were made for messages of 4,096 characters get one character less."""
MAX_EMPTY_VALUE = 100
MaxCharacters = Annotated[int, BeforeValidator(parse_number), Field(ge=MIN_CHARACTERS, le=MAX_CHARACTERS)]
EmptyValue = Annotated[str, StringConstraints(max_length=MAX_EMPTY_VALUE)]
FlowNumber = Annotated[int | None, BeforeValidator(parse_id)]


class FunctionBody(BaseModel):
    """The fields of every function; each function adds its own. Unknown keys are ignored.

    Glific also sends `contact` and `results`. Only the ids in them are used, and nothing else of them is kept.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    MEANINGFUL_BLANKS: ClassVar[frozenset[str]] = frozenset()
    """Fields for which an empty text or null is a value. In all others it means that the field was not sent."""

    TYPED_FIELDS: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold what people write, in which an @ is not always a variable."""

    gpt_model: ModelName | None = None
    model: ModelName | None = None
    flow_id: FlowNumber = None
    contact_id: FlowNumber = None
    organization_id: FlowNumber = None
    max_characters: MaxCharacters | None = None
    """Longest answer in text: the flow may add its own words to the same message."""
    wait_seconds: Annotated[int, BeforeValidator(parse_number), Field(ge=1, le=MAX_WAIT_SECONDS)] | None = None
    """How long the flow waits for a later answer. After that it may be waiting for the answer to another question."""
    empty_value: Annotated[EmptyValue | None, BeforeValidator(blank_to_none)] = None
    """Stands for null and empty texts in a decoded answer."""
    result_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$")] = "gpt_response"

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, values: Any) -> Any:
        """Treat an empty field like a missing one: authors leave fields empty in Glific's form."""
        if not isinstance(values, dict):
            return values
        return {
            name: value
            for name, value in values.items()
            if name in cls.MEANINGFUL_BLANKS or blank_to_none(value) is not None
        }

    @model_validator(mode="before")
    @classmethod
    def _contact_id(cls, values: Any) -> Any:
        contact = values.get("contact") if isinstance(values, dict) else None
        if isinstance(contact, dict) and parse_id(values.get("contact_id")) is None:
            return {**values, "contact_id": contact.get("id")}
        return values

    @model_validator(mode="after")
    def _one_model(self) -> "FunctionBody":
        if self.gpt_model and self.model and canonical_id(self.gpt_model) != canonical_id(self.model):
            raise ValueError("gpt_model and model name different models: send one of them")
        return self

    @property
    def model_asked(self) -> str | None:
        """The model that the flow asks for, if any."""
        return self.gpt_model or self.model


Body = TypeVar("Body", bound=FunctionBody)


@dataclass(frozen=True)
class Function(Generic[Body]):
    """A function that a webhook calls by its name."""

    name: str
    """Last segment of the webhook's address: [a-z0-9_]{1,63}."""
    body: type[Body]
    """Model of the request body, which is validated before the function is called."""
    handle: Callable[[Body, LanguageModel, Deadline], JsonValue]
    """Returns parsed_msg: text, or a JSON value. Texts are formatted for WhatsApp, also those in a JSON value.

    The model is bound to the organization's key and to the deadline. May raise GlificGptError.
    """

    blocks: bool = True
    """False if the function waits for nothing but its model, so that it can run on the server's event loop."""

    extra_input_tokens: int = 0
    """Input tokens that the function adds to its body at most, such as its own prompt. A budget reserves them."""

    def __post_init__(self) -> None:
        if not FUNCTION_NAME.fullmatch(self.name):
            raise ValueError(f"a function's name consists of small letters, digits and underscores: {self.name!r}")


GLIFIC_FIELDS = {"contact", "results", "flow_id", "contact_id", "organization_id", "result_name"}
"""Fields that Glific fills, or that do not affect the answer: they are not searched for unfilled variables."""

EMPTY_QUESTION = "empty_question"
"""Error type that a field raises for an empty question."""


def validate_body(function: Function[Body], values: dict[str, Any]) -> Body:
    """Return the validated body.

    Raises EmptyQuestion or InvalidField for the first invalid field, and UnresolvedVariable for the first variable
    that Glific did not fill because no value is stored under its name.
    """
    values = _fill_defaults(function, values)
    unresolved = dict(_unresolved(function, values))
    try:
        body = function.body.model_validate(values)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            # An unfilled variable in a number field is reported as such: that message names the cause.
            if _field(details) not in unresolved:
                raise _to_error(details) from None
    for field, reason in unresolved.items():
        raise UnresolvedVariable(f"{field}: {reason}")
    return body


def _fill_defaults(function: Function[Body], values: dict[str, Any]) -> dict[str, Any]:
    """Replace variables that Glific did not fill by their texts in `defaults`: {"results.answer.parsed_msg": "-"}.

    Only texts of the function's own fields are changed. Raises InvalidField for defaults of another shape.
    """
    defaults = values.get("defaults")
    if not defaults:
        return values
    if not isinstance(defaults, dict) or not all(isinstance(text, str) for text in defaults.values()):
        raise InvalidField("defaults: write an object with names of variables and texts.")
    if len(defaults) > MAX_DEFAULTS:
        raise InvalidField(f"defaults: write at most {MAX_DEFAULTS} variables.")
    fields = {name for name in function.body.model_fields if name not in GLIFIC_FIELDS}
    return {
        name: fill_defaults(value, defaults) if name in fields and isinstance(value, str) else value
        for name, value in values.items()
    }


def _unresolved(function: Function[Body], values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each field of the function that holds an unfilled variable, with the reason for the first one."""
    for field in [name for name in function.body.model_fields if name not in GLIFIC_FIELDS]:
        for text in _texts(values.get(field)):
            if variables := find_unresolved(text, is_typed=field in function.body.TYPED_FIELDS):
                yield field, _describe_unresolved(text, variables[0])
                break


def _describe_unresolved(text: str, variable: str) -> str:
    if variable in find_joined(text):
        return (
            f"Glific does not fill {variable}, because a letter or sign outside ASCII follows it directly. "
            f"Put a blank behind {variable} in the node."
        )
    return (
        f"the node reads {variable}, but no value is stored under that name. "
        "Check the name of the result or field in the node."
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in a JSON value, in order. Not recursive: each text would pass through all levels above it."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, dict):
            pending.extend(reversed(current.values()))
        elif isinstance(current, list):
            pending.extend(reversed(current))


def _field(details: ErrorDetails) -> str:
    return str(details["loc"][0]) if details["loc"] else ""


def _to_error(details: ErrorDetails) -> GlificGptError:
    if details["type"] == EMPTY_QUESTION:
        return EmptyQuestion()
    field, sentence = _field(details), validation.describe(details)
    return InvalidField(f"{field}: {sentence}." if field else f"{sentence}.")
