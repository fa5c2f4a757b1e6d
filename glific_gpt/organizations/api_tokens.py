"""API tokens: an administrator's, or one organization's; made and shown once, listed, revoked."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.errors import NotFound
from glific_gpt.organizations.tables import ApiToken, Organization
from glific_gpt.organizations.token_secrets import API_PREFIX, new_token, token_hash


def create(session: Session, label: str, organization: Organization | None) -> tuple[ApiToken, str]:
    """The row and the token, which nobody can read again. Without an organization it is an administrator's."""
    token = new_token(API_PREFIX)
    owner = organization.id if organization else None
    row = ApiToken(organization_id=owner, label=label, token_hash=token_hash(token))
    session.add(row)
    session.flush()
    trail.record(session, Action.API_TOKEN_CREATED, owner, token=row.id, label=label)
    return row, token


def every(session: Session) -> list[tuple[ApiToken, str | None]]:
    """Each token with the slug of its organization; None is an administrator's."""
    query = select(ApiToken, Organization.slug).outerjoin(Organization, ApiToken.organization_id == Organization.id)
    return [(row, slug) for row, slug in session.execute(query.order_by(ApiToken.id))]


def revoke(session: Session, token_id: int) -> None:
    """Raises NotFound."""
    row = session.get(ApiToken, token_id)
    if row is None:
        raise NotFound(f"There is no API token {token_id}.")
    session.delete(row)
    trail.record(session, Action.API_TOKEN_REVOKED, row.organization_id, token=row.id, label=row.label)


def identify(session: Session, token: str) -> ApiToken | None:
    """Whose token this is; None for anything that is not a token of ours."""
    return session.scalar(select(ApiToken).where(ApiToken.token_hash == token_hash(token)))
