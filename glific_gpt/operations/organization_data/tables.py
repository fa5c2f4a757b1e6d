"""All tables with rows of organizations: what an export contains of them, and why the rest is left out.

A test fails for a table or a column that is missing here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Column, Label, Select, Table, select

from glific_gpt.accounts.tables import Membership, User
from glific_gpt.alerts.tables import AlertState
from glific_gpt.audit.tables import AuditEntry
from glific_gpt.calls.tables import Call, DailyTotals, Delivery, StoredReply
from glific_gpt.database import Base
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import ApiToken, BudgetReservation, MonthlySpend, Organization, WebhookToken

OF_ORGANIZATION = {"organization_id": "The whole file is of one organization."}
HASH = {"token_hash": "It is a secret."}
CIPHERTEXT = {"ciphertext": "It is a secret."}


@dataclass(frozen=True)
class OrganizationTable:
    """A table with rows of organizations."""

    model: type[Base]
    name: str = ""
    """Name of its file in an export, without the extension; empty if it is not exported."""
    description: str = ""
    """Content of the file, or the reason why there is none."""
    columns: tuple[str, ...] = ()
    """Exported columns, in this order."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Other columns, each with the reason."""
    computed: tuple[Label[Any], ...] = ()
    """Exported values that are not columns of the table."""
    joined: type[Base] | None = None
    """Another table, from which they come."""

    @property
    def table(self) -> Table:
        return cast("Table", self.model.__table__)

    @property
    def owner(self) -> Column[Any]:
        """The column with the organization's id."""
        return self.table.c.id if self.model is Organization else self.table.c.organization_id

    @property
    def key(self) -> tuple[Column[Any], ...]:
        """The columns by which the rows of one organization are ordered."""
        others = tuple(column for column in self.table.primary_key if column is not self.owner)
        return others or (self.owner,)

    def select_export(self) -> Select[*tuple[Any, ...]]:
        """Select what an export contains of all organizations."""
        query = select(*(self.table.c[name] for name in self.columns), *self.computed)
        return query.join_from(self.table, self.joined) if self.joined else query


# In the order in which their rows can be deleted. It is also that of housekeeping and of calls, so that transactions
# which run at the same time do not wait for each other.
TABLES = (
    OrganizationTable(
        MonthlySpend,
        "monthly_spend",
        "The cost of calls in each month with a budget, in US dollars.",
        ("month", "usd"),
        OF_ORGANIZATION,
    ),
    OrganizationTable(
        AlertState,
        "alert_states",
        "Alerts that last, or whose end is being announced.",
        (*("code", "began_at", "ended_at", "begin_mailed_at", "end_mailed_at", "begin_posted_at", "end_posted_at"),),
        {"id": "It numbers the alerts of all organizations."} | OF_ORGANIZATION,
    ),
    OrganizationTable(
        BudgetReservation,
        "budget_reservations",
        "Amounts that are reserved for calls in progress, in US dollars.",
        ("call_id", "month", "usd"),
        OF_ORGANIZATION,
    ),
    OrganizationTable(
        StoredReply,
        description="Encrypted answers for calls that are repeated within 15 minutes. They are deleted after that.",
    ),
    OrganizationTable(
        Delivery,
        "deliveries",
        "Deliveries of later answers to waiting flows, with their states.",
        (
            *("call_id", "state", "result_name", "glific_organization_id", "accepted_at", "waited_until", "asked_at"),
            *("answered_at", "delivering_since", "attempts", "possibly_delivered", "last_response", "ended_at"),
            "stored_bytes",
        ),
        {
            "organization_id": OF_ORGANIZATION["organization_id"],
            "question": "Encrypted text of a contact. It is deleted once it is answered.",
            "answer": "Encrypted text for a contact. It is deleted once it is delivered, or after a day.",
            "reserved_usd": "It is not used any more.",
        },
    ),
    OrganizationTable(
        AuditEntry,
        "audit_entries",
        "Changes of the organization, with the people and programs that made them.",
        ("id", "at", "actor", "action", "detail"),
        OF_ORGANIZATION,
    ),
    OrganizationTable(
        Call,
        "calls",
        "Calls of the webhook. Questions and answers are not stored.",
        (
            *(
                "call_id",
                "function",
                "mode",
                "status",
                "error_code",
                "error_detail",
                "cause",
                "model_asked",
                "model_used",
            ),
            *("started_at", "is_test", "fallback_reason"),
            *("duration_ms", "input_tokens", "output_tokens", "cost_usd", "cut_off", "contact_id", "flow_id"),
            "contact_forgotten",
        ),
        {
            "id": "It numbers the calls of all organizations.",
            "organization_id": OF_ORGANIZATION["organization_id"],
            "give_up_at": "Only the server itself uses it.",
        },
    ),
    OrganizationTable(
        DailyTotals,
        "daily_totals",
        "Totals of deleted calls, by day. The answer times are numbers of calls, in steps of 10 ms.",
        (
            *("day", "function", "model", "failure", "is_deferred", "calls", "input_tokens", "output_tokens"),
            *("cost_usd", "unpriced", "last_at", "last_answered_at", "answer_times"),
        ),
        OF_ORGANIZATION,
    ),
    OrganizationTable(
        Membership,
        "people",
        "The members, with their roles. Their accounts belong to them, and are not part of the organization.",
        ("role", "created_at"),
        {"organization_id": OF_ORGANIZATION["organization_id"], "user_id": "The e-mail address names the person."},
        (
            User.email.label("email"),
            User.active.label("active"),
            User.password.is_not(None).label("has_password"),
            User.tf_primary_method.is_not(None).label("has_two_factor"),
        ),
        User,
    ),
    OrganizationTable(
        WebhookToken,
        "webhook_tokens",
        "Tokens of flows, without the tokens themselves.",
        ("id", "label", "created_at", "last_used_on", "uses_recorded"),
        OF_ORGANIZATION | HASH,
    ),
    OrganizationTable(
        ApiToken,
        "api_tokens",
        "Tokens of the JSON API, without the tokens themselves.",
        ("id", "label", "created_at", "last_used_on", "uses_recorded"),
        OF_ORGANIZATION | HASH,
    ),
    OrganizationTable(
        Credential,
        "credentials",
        "Keys at providers, without the keys themselves, and the models that each can use.",
        ("provider", "base_url", "last4", "is_active", "verified_at", "models", "created_at", "updated_at"),
        OF_ORGANIZATION | CIPHERTEXT | {"id": "Only the server itself uses it."},
    ),
    OrganizationTable(
        GlificConnection,
        "glific_connection",
        "The connection to Glific, without its login.",
        ("api_url", "way", "verified_at", "created_at", "updated_at"),
        OF_ORGANIZATION | CIPHERTEXT,
    ),
    OrganizationTable(
        Organization,
        "organization",
        "The organization with its settings, limits and allowed models.",
        (
            *(
                "slug",
                "name",
                "is_active",
                "default_model",
                "fallback_model",
                "fallback_message",
                "glific_organization_id",
            ),
            *("require_signature", "allowed_models", "contact_daily_limit", "calls_per_minute"),
            *("contact_calls_per_minute", "monthly_budget_usd", "vector_store_id", "memory_hours", "fetch_images"),
            *("alert_email", "time_zone", "created_at"),
        ),
        {"id": "Only the server itself uses it.", "signature_phrase": "It is a secret."},
        (Organization.signature_phrase.is_not(None).label("signature_phrase_set"),),
    ),
)

EXPORTED = tuple(table for table in reversed(TABLES) if table.name)
"""In the order of the files in an export."""
