"""Webhook and API tokens: 256 random bits, of which only a hash is stored."""

import hashlib
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import owned
from glific_gpt.errors import NotFound
from glific_gpt.organizations.tables import ApiToken, Organization, WebhookToken

WEBHOOK_PREFIX = "ggw_"
API_PREFIX = "gga_"
# The prefixes let scanners for leaked secrets recognize a token in a public repository.


def generate_token(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return the SHA-256 in hex. A plain hash suffices for random tokens and is fast enough for every call."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


FIRST_LABEL = "first"
"""Label of the token that is created together with an organization."""


def create_webhook_token(session: Session, organization: Organization, label: str) -> tuple[WebhookToken, str]:
    """Create a token. Return its row and the token, which cannot be read again later."""
    token = generate_token(WEBHOOK_PREFIX)
    row = WebhookToken(organization_id=organization.id, label=label, token_hash=hash_token(token))
    session.add(row)
    session.flush()
    trail.record(session, Action.TOKEN_CREATED, organization.id, token=row.id, label=label)
    return row, token


def list_webhook_tokens(session: Session, organization: Organization) -> list[WebhookToken]:
    return list(session.scalars(owned(WebhookToken, organization.id).order_by(WebhookToken.id)))


def revoke_webhook_token(session: Session, organization: Organization, token_id: int) -> None:
    """Revoke a token immediately. Raises NotFound, also for another organization's token."""
    row = session.scalar(owned(WebhookToken, organization.id).where(WebhookToken.id == token_id))
    if row is None:
        raise NotFound(f"This organization has no token {token_id}. Check the number in its list of tokens.")
    session.delete(row)
    trail.record(session, Action.TOKEN_REVOKED, organization.id, token=row.id, label=row.label)


def create_api_token(session: Session, label: str, organization: Organization | None) -> tuple[ApiToken, str]:
    """Create a token, an administrator's if `organization` is None.

    Return its row and the token, which cannot be read again later.
    """
    token = generate_token(API_PREFIX)
    organization_id = organization.id if organization else None
    row = ApiToken(organization_id=organization_id, label=label, token_hash=hash_token(token))
    session.add(row)
    session.flush()
    trail.record(session, Action.API_TOKEN_CREATED, organization_id, token=row.id, label=label)
    return row, token


def list_api_tokens(session: Session) -> list[tuple[ApiToken, str | None]]:
    """Return each token with the slug of its organization, or None for an administrator's token."""
    query = select(ApiToken, Organization.slug).outerjoin(Organization, ApiToken.organization_id == Organization.id)
    return [(row, slug) for row, slug in session.execute(query.order_by(ApiToken.id))]


def revoke_api_token(session: Session, token_id: int) -> None:
    """Revoke a token immediately. Raises NotFound."""
    row = session.get(ApiToken, token_id)
    if row is None:
        raise NotFound(f"There is no API token {token_id}. Check the number in the list of tokens.")
    session.delete(row)
    trail.record(session, Action.API_TOKEN_REVOKED, row.organization_id, token=row.id, label=row.label)


def identify_api_token(session: Session, token: str) -> ApiToken | None:
    """Return the row of an API token, or None if there is no such token."""
    return session.scalar(select(ApiToken).where(ApiToken.token_hash == hash_token(token)))
