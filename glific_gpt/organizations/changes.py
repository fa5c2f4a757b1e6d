"""What may be set of an organization, checked the same way whoever sets it."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from glific_gpt.errors import InvalidValue
from glific_gpt.glific.text import is_blank
from glific_gpt.models import allowlist
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.settings import MODEL_NAME

SLUG = r"^[a-z0-9-]{1,63}$"

MAX_EXACT_INTEGER = 2**53
"""JSON numbers are exact below it (RFC 8259, section 6)."""

MAX_FIELD_NAME_LENGTH = 40
"""The longest name of a field."""

# Something that can be seen. PostgreSQL cannot store NUL, and nobody means it. Python counts \x1c to \x1f as
# white space and Rust, in which pydantic is written, does not.
STORABLE = r"^[^\x00]*[^\x00\s\x1c-\x1f][^\x00]*$"


def _text_model(model: str) -> str:
    kind = classify_model(model)
    if kind is not ModelKind.TEXT:
        raise ValueError(f"{model} is a model for {kind}, and only text models can answer")
    return model


def _visible(message: str) -> str:
    if is_blank(message):
        raise ValueError("there is nothing in it that a person could see")
    return message


def _whole(value: object) -> object:
    """In JSON Schema 1.0 is a whole number too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _patterns(patterns: list[str]) -> list[str]:
    return list(allowlist.parse_patterns(patterns))


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=STORABLE)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=STORABLE)]
Message = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4096, pattern=STORABLE),
    AfterValidator(_visible),
]
Model = Annotated[str, StringConstraints(strip_whitespace=True, pattern=MODEL_NAME), AfterValidator(_text_model)]
Pattern = Annotated[str, Field(json_schema_extra={"pattern": r"^\s*[A-Za-z0-9._:/*-]{0,200}\s*$"})]
Patterns = Annotated[list[Pattern], Field(max_length=1000), AfterValidator(_patterns)]
Budget = Annotated[
    Decimal,
    Field(strict=False, ge=0, le=1_000_000),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1_000_000},
                {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,9})?$"},
            ]
        }
    ),
]


class OrganizationChanges(BaseModel):
    """Any of an organization's settings; what is not given stays as it is, null is back to the default."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    # What cannot be null has a default all the same, which given() never returns. As a factory, it is not
    # promised in the API's description, from which clients would take it and send it.
    name: Name = Field(default_factory=str)
    is_active: bool = Field(default_factory=bool)
    default_model: Model | None = Field(None, description="A text model; null is the server's own.")
    fallback_message: Message | None = Field(None, description="What the WhatsApp user reads when a call failed.")
    glific_organization_id: Annotated[int, Field(ge=1, lt=MAX_EXACT_INTEGER), BeforeValidator(_whole)] | None = Field(
        None, description="Where set, calls must carry it."
    )
    require_signature: bool = Field(default_factory=bool, description="Whether a webhook token alone is not enough.")
    allowed_models: Patterns | None = Field(
        None,
        description="Patterns such as gpt-4o*; null is all that the operator allows, an empty list is none.",
    )
    contact_daily_limit: Annotated[int, Field(ge=1, lt=2**31), BeforeValidator(_whole)] | None = Field(
        None, description="Answers for one contact in 24 hours."
    )
    monthly_budget_usd: Budget | None = Field(
        None, description="US dollars that calls may cost in a calendar month (UTC)."
    )

    def given(self) -> dict[str, Any]:
        """The fields that were given, ready to be set."""
        return self.model_dump(exclude_unset=True)


def validate_changes(**values: Any) -> OrganizationChanges:
    """For doors that have no checking of their own. Raises InvalidValue with one sentence."""
    try:
        return OrganizationChanges(**values)
    except ValidationError as error:
        raise InvalidValue(describe_error(error)) from None


def describe_error(error: ValidationError) -> str:
    """The first thing that is wrong, without the value, which may be personal or secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(part for part in first["loc"] if isinstance(part, str) and _is_name(part))
    message = first["msg"].removeprefix("Value error, ")
    return f"{where or 'The value'}: {message[:1].lower()}{message[1:]}."


def _is_name(part: str) -> bool:
    """Whether it can be a name of ours; an unknown key may hold anything, even a token."""
    return part.isidentifier() and len(part) <= MAX_FIELD_NAME_LENGTH
