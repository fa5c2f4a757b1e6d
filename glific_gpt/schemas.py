"""JSON views of the tables, for the JSON API and commands. They contain no secrets and no other organization's data."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, PlainSerializer, WithJsonSchema

from glific_gpt.audit.trail import EntryView
from glific_gpt.calls.tables import Call
from glific_gpt.calls.timeline import CallTimeline, error_class_of
from glific_gpt.functions import parse_via_chat_gpt
from glific_gpt.models.kinds import ModelKind
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.organizations.credentials.reachable_models import ModelAccess
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import ApiToken, Organization, WebhookToken


def format_timestamp(value: datetime) -> str:
    """Return the time in ISO 8601 and UTC, with milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# With the serializer alone, the OpenAPI document would call it a string of any format.
Timestamp = Annotated[
    datetime,
    PlainSerializer(format_timestamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
# As a number: pydantic writes a Decimal as a string, which every client would have to convert.
Dollars = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json"), Field(ge=0)]


class OrganizationView(BaseModel):
    slug: str
    name: str
    is_active: bool
    default_model: str | None
    fallback_model: str | None
    fallback_message: str | None
    glific_organization_id: int | None
    require_signature: bool
    signature_phrase_set: bool
    allowed_models: list[str] | None
    contact_daily_limit: int | None
    calls_per_minute: int | None
    contact_calls_per_minute: int | None
    monthly_budget_usd: Dollars | None
    vector_store_id: str | None
    memory_hours: int | None
    fetch_images: bool
    alert_email: str | None
    time_zone: str | None
    webhook_url: str
    created_at: Timestamp

    @classmethod
    def of(cls, row: Organization, public_url: str) -> "OrganizationView":
        fields = {name: getattr(row, name, None) for name in cls.model_fields}
        return cls.model_validate(
            fields
            | {
                "signature_phrase_set": row.signature_phrase is not None,
                "webhook_url": webhook_url(public_url, row.slug),
            }
        )


class CredentialView(BaseModel):
    provider: str
    is_active: bool
    base_url: str | None = Field(description="The address to which the key is sent; null is the server's own.")
    last4: str = Field(description="The last four characters of the key. The key itself cannot be read.")
    verified_at: Timestamp | None = Field(description="When the provider last accepted the key.")
    updated_at: Timestamp

    @classmethod
    def of(cls, row: Credential) -> "CredentialView":
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class GlificConnectionView(BaseModel):
    connected: bool
    api_url: str | None
    way: Literal["api", "signed"] | None
    phone_last4: str | None = Field(
        description="The last four digits of the login's phone number; null for the signed call."
    )
    verified_at: Timestamp | None = Field(
        description="When Glific last accepted the login. For the signed call, when its address last answered."
    )
    updated_at: Timestamp | None

    @classmethod
    def of(cls, row: GlificConnection | None, phone_last4: str | None) -> "GlificConnectionView":
        fields = {name: getattr(row, name, None) for name in cls.model_fields}
        return cls.model_validate(fields | {"connected": row is not None, "phone_last4": phone_last4})


class TokenView(BaseModel):
    id: int
    label: str
    created_at: Timestamp
    last_used_on: date | None = Field(description="The last day (UTC) on which the token was used, if it is known.")
    uses_recorded: bool = Field(
        description="False if the token may have been used before uses were recorded. No last_used_on means never only "
        "if this is true."
    )

    @classmethod
    def of(cls, row: WebhookToken) -> "TokenView":
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class ApiTokenView(BaseModel):
    id: int
    label: str
    organization: str | None = Field(description="The slug of the organization; null for an administrator's token.")
    created_at: Timestamp
    last_used_on: date | None = Field(description="The last day (UTC) on which the token was used, if it is known.")
    uses_recorded: bool = Field(
        description="False if the token may have been used before uses were recorded. No last_used_on means never only "
        "if this is true."
    )

    @classmethod
    def of(cls, row: ApiToken, slug: str | None) -> "ApiTokenView":
        fields = {name: getattr(row, name, None) for name in cls.model_fields}
        return cls.model_validate(fields | {"organization": slug})


class ModelView(BaseModel):
    id: str
    kind: ModelKind
    allowed: bool
    reason: str | None = Field(description="Reason why the organization may not use the model.")
    input_usd_per_million_tokens: Dollars | None
    output_usd_per_million_tokens: Dollars | None
    reads_pictures: bool | None = Field(description="Null if it is not known, as for a server that is not OpenAI.")
    searches_files: bool = Field(description="True if the model can answer from documents in vector stores.")

    @classmethod
    def of(cls, model: ModelAccess) -> "ModelView":
        return cls(
            id=model.id,
            kind=model.kind,
            allowed=model.refusal is None,
            reason=model.refusal,
            input_usd_per_million_tokens=model.prices.input if model.prices else None,
            output_usd_per_million_tokens=model.prices.output if model.prices else None,
            reads_pictures=model.reads_pictures,
            searches_files=model.searches_files,
        )


class CallView(BaseModel):
    call_id: str
    at: Timestamp
    function: str
    model: str | None
    status: Literal["started", "pending", "ok", "error", "interrupted"]
    error_code: str | None
    duration_ms: int | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Dollars | None
    cut_off: bool = Field(description="True if the model reached its token limit before the end of its answer.")
    fallback_reason: str | None = Field(
        description="The error code of the requested model, if the organization's fallback model answered."
    )
    contact_id: int | None
    flow_id: int | None
    error_detail: str | None = Field(
        description="Names of the field and the variable at fault, such as question_text: @results.question."
    )

    @classmethod
    def of(cls, row: Call) -> "CallView":
        computed = {"at": row.started_at, "model": row.model_used or row.model_asked}
        return cls.model_validate({name: getattr(row, name, None) for name in cls.model_fields} | computed)


class CallDetailView(CallView):
    accepted_at: Timestamp | None = Field(
        description="When the call was deferred and the flow told to wait; null if it was answered directly."
    )
    asked_at: Timestamp | None = Field(description="When OpenAI was last asked after that.")
    answered_at: Timestamp | None = Field(description="When the answer or the failure was known.")
    resumed_at: Timestamp | None = Field(description="When the answer was delivered to the flow.")
    given_up_at: Timestamp | None = Field(description="When delivery was given up. A retry clears it.")
    delivery: Literal["waiting", "delivered", "undelivered", "uncertain"] | None = Field(
        description="Uncertain: the answer may have been delivered."
    )
    attempts: int = Field(ge=0, description="Number of delivery attempts.")
    last_response: str | None = Field(description="Result of the last delivery attempt.")
    error_class: Literal["caller", "organization", "service"] | None = Field(
        description="The party that can fix the error."
    )
    error: str | None = Field(description="The meaning of error_code, if it has a general one.")
    cause: str | None = Field(
        description="Why OpenAI gave no answer, or none by the requested model: the network failure, or OpenAI's error."
    )

    @classmethod
    def from_timeline(cls, timeline: CallTimeline) -> "CallDetailView":
        delivery, error = timeline.delivery, error_class_of(timeline.call.error_code)
        ended_at = delivery.ended_at if delivery else None
        is_delivered = delivery is not None and delivery.state == "delivered"
        computed = {
            "answered_at": timeline.answered_at,
            "resumed_at": ended_at if is_delivered else None,
            "given_up_at": None if is_delivered else ended_at,
            "delivery": delivery.state if delivery else None,
            "attempts": delivery.attempts if delivery else 0,
            "error_class": error.error_class if error else None,
            "error": (error.default_message or None) if error else None,
            "cause": timeline.call.cause,
        }
        copied = {name: getattr(delivery, name, None) for name in ("accepted_at", "asked_at", "last_response")}
        return cls.model_validate(CallView.of(timeline.call).model_dump() | copied | computed)


class AuditEntryView(BaseModel):
    id: int
    at: Timestamp
    organization: str | None = Field(description="The slug of the organization; null for changes of the server itself.")
    actor: str
    action: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, entry: EntryView) -> "AuditEntryView":
        computed = {"organization": entry.slug}
        return cls.model_validate({name: getattr(entry, name) for name in cls.model_fields} | computed)


def webhook_url(public_url: str, slug: str, function: str = parse_via_chat_gpt.function.name) -> str:
    """Return the address of a function of an organization."""
    return f"{public_url}/webhooks/{slug}/{function}"
