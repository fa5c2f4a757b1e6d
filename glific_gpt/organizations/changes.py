"""Validation of organization settings, shared by all entry points."""

from decimal import Decimal
from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
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

from glific_gpt.errors import InvalidValue, validation
from glific_gpt.glific.text import is_blank
from glific_gpt.models import allowlist
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.organizations import time_zones
from glific_gpt.organizations.tables import DEFAULT_MEMORY_HOURS
from glific_gpt.settings import MAX_PATTERNS, MODEL_NAME, VECTOR_STORE_ID
from glific_gpt.wildcards import MAX_STARS

SLUG = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
"""Slug of a new organization. A command would read a slug with a hyphen first as an option."""

SLUG_IN_PATH = r"^[a-z0-9-]{1,63}$"
"""Slug of any organization. Organizations that were created before the rule of SLUG stay reachable."""

MAX_EXACT_INTEGER = 2**53
"""JSON numbers below it are exact (RFC 8259, section 6)."""

MAX_FIELD_NAME_LENGTH = 40
"""Longer field names cannot be ours and are not repeated in messages."""

# At least one visible character and no NUL, which PostgreSQL cannot store. \x1c to \x1f are listed because Python
# counts them as white space and Rust, in which pydantic is written, does not.
STORABLE = r"^[^\x00]*[^\x00\s\x1c-\x1f][^\x00]*$"

DIRECTION_CONTROLS = "\u202a-\u202e\u2066-\u2069"
"""Characters that change the order of the text around a name. Joiners, which Indian scripts need, are not included."""

ONE_DIRECTION = rf"^[^\x00{DIRECTION_CONTROLS}]*[^\x00\s\x1c-\x1f{DIRECTION_CONTROLS}][^\x00{DIRECTION_CONTROLS}]*$"
"""As STORABLE, for names that people read in lists of all organizations."""


def _require_text_model(model: str) -> str:
    kind = classify_model(model)
    if kind is not ModelKind.TEXT:
        raise ValueError(f"{model} is a model for {kind}. Choose a text model")
    return model


def _require_visible(message: str) -> str:
    if is_blank(message):
        raise ValueError("it has no visible character. Write a text")
    return message


def _normalize_address(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValueError("this is not an e-mail address") from None


def _require_time_zone(name: str) -> str:
    if name not in time_zones.list_names():
        raise ValueError("this is not a time zone. Use a name such as Asia/Kolkata")
    return name


class _TimeZoneSchema:
    """The names in the API document. They are listed only for it, because this reads 600 files."""

    def __get_pydantic_json_schema__(self, _schema: object, _handler: object) -> dict[str, Any]:
        return {"type": "string", "enum": sorted(time_zones.list_names()), "examples": ["Asia/Kolkata"]}


def _to_integer(value: object) -> object:
    """Accept 1.0 as an integer, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _parse_patterns(patterns: list[str]) -> list[str]:
    return list(allowlist.parse_patterns(patterns))


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=ONE_DIRECTION)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=ONE_DIRECTION)]
Message = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4095, pattern=STORABLE),
    AfterValidator(_require_visible),
]
Model = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=MODEL_NAME),
    BeforeValidator(allowlist.read_name),
    AfterValidator(_require_text_model),
]
Pattern = Annotated[
    str,
    Field(
        json_schema_extra={
            "maxLength": 200,
            "pattern": rf"^\s*[A-Za-z0-9._:/-]*(\*[A-Za-z0-9._:/-]*){{0,{MAX_STARS}}}\s*$",
        }
    ),
]
Patterns = Annotated[list[Pattern], Field(max_length=MAX_PATTERNS), AfterValidator(_parse_patterns)]
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

VectorStoreId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=VECTOR_STORE_ID)]

EmailAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=STORABLE),
    AfterValidator(_normalize_address),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]

TimeZone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=64, pattern=STORABLE),
    AfterValidator(_require_time_zone),
    _TimeZoneSchema(),
]

MAX_CONTACT_DAILY_LIMIT = 10_000
"""Each call of a contact with a limit counts that many rows at most."""

MAX_MEMORY_HOURS = 168
"""One week."""

CallsPerMinute = Annotated[int, Field(ge=1, le=100_000), BeforeValidator(_to_integer)]
"""Each call of the last minute is kept in memory, so the limit has one too."""


class OrganizationChanges(BaseModel):
    """Changes of an organization's settings. A field that is not given stays unchanged; null resets to the default."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    # Fields that cannot be null need a default too, which given_values() never returns. It is a factory so that it does
    # not appear in the API's OpenAPI document, from which clients would send it.
    name: Name = Field(default_factory=str)
    is_active: bool = Field(default_factory=bool)
    default_model: Model | None = Field(None, description="A text model; null is the server's default.")
    fallback_model: Model | None = Field(
        None, description="A text model that is asked once if OpenAI refuses or limits the model of a call, or fails."
    )
    fallback_message: Message | None = Field(None, description="Message to the WhatsApp user when a call failed.")
    glific_organization_id: Annotated[int, Field(ge=1, lt=MAX_EXACT_INTEGER), BeforeValidator(_to_integer)] | None = (
        Field(None, description="If set, calls must contain the same id.")
    )
    require_signature: bool = Field(
        default_factory=bool, description="If true, a webhook token is not enough: calls must be signed."
    )
    allowed_models: Patterns | None = Field(
        None,
        description="Patterns such as gpt-4o*; null allows all models of the operator, an empty list none.",
    )
    contact_daily_limit: (
        Annotated[int, Field(ge=1, le=MAX_CONTACT_DAILY_LIMIT), BeforeValidator(_to_integer)] | None
    ) = Field(None, description="Maximum number of answers for one contact in 24 hours.")
    calls_per_minute: CallsPerMinute | None = Field(None, description="Maximum number of calls per minute.")
    contact_calls_per_minute: CallsPerMinute | None = Field(
        None, description="Maximum number of calls per minute of one contact."
    )
    monthly_budget_usd: Budget | None = Field(
        None, description="Maximum cost of calls in a calendar month (UTC), in US dollars."
    )
    vector_store_id: VectorStoreId | None = Field(
        None, description="Vector store at OpenAI that calls of filesearch-gpt search if they name none."
    )
    memory_hours: Annotated[int, Field(ge=1, le=MAX_MEMORY_HOURS), BeforeValidator(_to_integer)] | None = Field(
        None,
        description="Hours after its last answer in which a conversation with memory can be continued; null is "
        f"{DEFAULT_MEMORY_HOURS}.",
    )
    fetch_images: bool = Field(
        default_factory=bool,
        description="If true, this server downloads the images of calls and sends their bytes to OpenAI. If false, "
        "OpenAI downloads them.",
    )

    alert_email: EmailAddress | None = Field(None, description="E-mail address that gets alerts beside the owners.")

    time_zone: TimeZone | None = Field(
        None, description="Time zone of reports and lists of calls, by its IANA name; null is UTC."
    )

    def given_values(self) -> dict[str, Any]:
        """Return the fields that were given."""
        return self.model_dump(exclude_unset=True)


def validate_changes(**values: Any) -> OrganizationChanges:
    """Validate values from entry points without validation of their own. Raises InvalidValue."""
    try:
        return OrganizationChanges(**values)
    except ValidationError as error:
        raise InvalidValue(describe_error(error)) from None


def describe_error(error: ValidationError) -> str:
    """Describe the first error, without the value, which may be personal or secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(part for part in first["loc"] if isinstance(part, str) and _is_field_name(part))
    return f"{field or 'The value'}: {validation.describe(first)}."


def _is_field_name(part: str) -> bool:
    """Return True if it may be a field name of this server. An unknown key can contain anything, even a token."""
    return part.isidentifier() and len(part) <= MAX_FIELD_NAME_LENGTH
