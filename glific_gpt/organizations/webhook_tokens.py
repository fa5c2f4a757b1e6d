"""Webhook tokens: made and shown once, listed, revoked."""

from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import owned
from glific_gpt.errors import NotFound
from glific_gpt.organizations.tables import Organization, WebhookToken
from glific_gpt.organizations.token_secrets import WEBHOOK_PREFIX, new_token, token_hash

FIRST = "first"
"""The label of the token that an organization is made with."""


def create(session: Session, organization: Organization, label: str) -> tuple[WebhookToken, str]:
    """The row and the token, which nobody can read again."""
    token = new_token(WEBHOOK_PREFIX)
    row = WebhookToken(organization_id=organization.id, label=label, token_hash=token_hash(token))
    session.add(row)
    session.flush()
    trail.record(session, Action.TOKEN_CREATED, organization.id, token=row.id, label=label)
    return row, token


def every(session: Session, organization: Organization) -> list[WebhookToken]:
    return list(session.scalars(owned(WebhookToken, organization.id).order_by(WebhookToken.id)))


def revoke(session: Session, organization: Organization, token_id: int) -> None:
    """Closes the door at once. Raises NotFound, also for another organization's token."""
    row = session.scalar(owned(WebhookToken, organization.id).where(WebhookToken.id == token_id))
    if row is None:
        raise NotFound(f"This organization has no token {token_id}.")
    session.delete(row)
    trail.record(session, Action.TOKEN_REVOKED, organization.id, token=row.id, label=row.label)
