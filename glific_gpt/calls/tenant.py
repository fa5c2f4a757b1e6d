"""The tenant of a call: everything about the organization that a call needs, read with one query."""

from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from glific_gpt.database import fetch_one
from glific_gpt.organizations import server_models
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.store import is_slug
from glific_gpt.organizations.tables import Organization, WebhookToken
from glific_gpt.organizations.tokens import hash_token


@dataclass(frozen=True)
class Tenant:
    """The current state of an organization. Nothing is cached, so that a switch takes effect on the next call."""

    organization_id: int
    is_active: bool
    default_model: str | None
    fallback_model: str | None
    fallback_message: str | None
    glific_organization_id: int | None
    require_signature: bool
    signature_phrase: str | None = field(repr=False)
    """Ciphertext."""
    allowed_models: list[str] | None
    server_models: list[str] | None
    """The administrators' list of models for all organizations."""
    contact_daily_limit: int | None
    calls_per_minute: int | None
    contact_calls_per_minute: int | None
    monthly_budget_usd: Decimal | None
    vector_store_id: str | None
    """The vector store of calls that name none."""
    memory_hours: int | None
    fetch_images: bool
    ciphertext: str | None = field(repr=False)
    """Encrypted fields of the credential; None if there is none."""
    base_url: str | None
    """The address to which the key is sent; None is the server's own."""
    credential_active: bool | None
    token_id: int | None
    """Id of the webhook token, if it is one of the organization's."""
    glific_way: str | None
    """How later answers reach Glific; None if the organization is not connected."""


# Built once: building this statement takes longer than executing it.
TENANT_QUERY = (
    select(
        Organization.id.label("organization_id"),
        Organization.is_active,
        Organization.default_model,
        Organization.fallback_model,
        Organization.fallback_message,
        Organization.glific_organization_id,
        Organization.require_signature,
        Organization.signature_phrase,
        Organization.allowed_models,
        server_models.ALLOWED_MODELS_QUERY.scalar_subquery().label("server_models"),
        Organization.contact_daily_limit,
        Organization.calls_per_minute,
        Organization.contact_calls_per_minute,
        Organization.monthly_budget_usd,
        Organization.vector_store_id,
        Organization.memory_hours,
        Organization.fetch_images,
        Credential.ciphertext,
        Credential.base_url,
        Credential.is_active.label("credential_active"),
        WebhookToken.id.label("token_id"),
        GlificConnection.way.label("glific_way"),
    )
    .outerjoin(
        Credential,
        and_(Credential.organization_id == Organization.id, Credential.provider == bindparam("provider")),
    )
    .outerjoin(
        WebhookToken,
        and_(WebhookToken.organization_id == Organization.id, WebhookToken.token_hash == bindparam("token_hash")),
    )
    .outerjoin(GlificConnection, GlificConnection.organization_id == Organization.id)
)
FIND_BY_SLUG = TENANT_QUERY.where(Organization.slug == bindparam("slug"))
FIND_BY_ID = TENANT_QUERY.where(Organization.id == bindparam("organization_id"))


def find_tenant(slug: str, provider: str, token: str) -> Tenant | None:
    """Return the organization with its credential, and the id of its webhook token; None if unknown."""
    if not is_slug(slug):  # PostgreSQL refuses a parameter with a NUL character, which a URL can contain
        return None
    row = fetch_one(FIND_BY_SLUG, slug=slug, provider=provider, token_hash=hash_token(token))
    return Tenant(**row) if row else None


def find_tenant_by_id(session: Session, organization_id: int, provider: str) -> Tenant:
    """Return the current state of the organization of a call that was authenticated earlier."""
    parameters = {"organization_id": organization_id, "provider": provider, "token_hash": ""}
    return Tenant(**session.execute(FIND_BY_ID, parameters).one()._mapping)
