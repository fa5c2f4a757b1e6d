"""The secret of a token: made from 256 random bits, kept only as a hash."""

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
# A prefix of our own lets scanners for leaked secrets find a token in a public repository.


def generate_token(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """SHA-256 in hex. A plain hash is enough for a secret of full entropy, and fast enough for every call."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


FIRST_LABEL = "first"
"""The label of the token that an organization is made with."""


def create_webhook_token(session: Session, organization: Organization, label: str) -> tuple[WebhookToken, str]:
    """The row and the token, which nobody can read again."""
    token = generate_token(WEBHOOK_PREFIX)
    row = WebhookToken(organization_id=organization.id, label=label, token_hash=hash_token(token))
    session.add(row)
    session.flush()
    trail.record(session, Action.TOKEN_CREATED, organization.id, token=row.id, label=label)
    return row, token


def list_webhook_tokens(session: Session, organization: Organization) -> list[WebhookToken]:
    return list(session.scalars(owned(WebhookToken, organization.id).order_by(WebhookToken.id)))


def revoke_webhook_token(session: Session, organization: Organization, token_id: int) -> None:
    """Closes the door at once. Raises NotFound, also for another organization's token."""
    row = session.scalar(owned(WebhookToken, organization.id).where(WebhookToken.id == token_id))
    if row is None:
        raise NotFound(f"This organization has no token {token_id}.")
    session.delete(row)
    trail.record(session, Action.TOKEN_REVOKED, organization.id, token=row.id, label=row.label)


def create_api_token(session: Session, label: str, organization: Organization | None) -> tuple[ApiToken, str]:
    """The row and the token, which nobody can read again. Without an organization it is an administrator's."""
    token = generate_token(API_PREFIX)
    owner = organization.id if organization else None
    row = ApiToken(organization_id=owner, label=label, token_hash=hash_token(token))
    session.add(row)
    session.flush()
    trail.record(session, Action.API_TOKEN_CREATED, owner, token=row.id, label=label)
    return row, token


def list_api_tokens(session: Session) -> list[tuple[ApiToken, str | None]]:
    """Each token with the slug of its organization; None is an administrator's."""
    query = select(ApiToken, Organization.slug).outerjoin(Organization, ApiToken.organization_id == Organization.id)
    return [(row, slug) for row, slug in session.execute(query.order_by(ApiToken.id))]


def revoke_api_token(session: Session, token_id: int) -> None:
    """Raises NotFound."""
    row = session.get(ApiToken, token_id)
    if row is None:
        raise NotFound(f"There is no API token {token_id}.")
    session.delete(row)
    trail.record(session, Action.API_TOKEN_REVOKED, row.organization_id, token=row.id, label=row.label)


def identify_api_token(session: Session, token: str) -> ApiToken | None:
    """Whose token this is; None for anything that is not a token of ours."""
    return session.scalar(select(ApiToken).where(ApiToken.token_hash == hash_token(token)))
