"""Webhook and API tokens: 256 random bits, of which only a hash is stored."""

import hashlib
import secrets

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import lock_name, owned
from glific_gpt.errors import N_, Conflict, NotFound
from glific_gpt.organizations.tables import ApiToken, Organization, WebhookToken

WEBHOOK_PREFIX = "ggw_"
API_PREFIX = "gga_"
# The prefixes let scanners for leaked secrets recognize a token in a public repository.

MAX_TOKENS = 100
"""Maximum number of webhook tokens of an organization, and of API tokens of an organization or of administrators."""

MAX_LABEL_LENGTH = 100

MSG_TOO_MANY_TOKENS = N_(
    "This organization has 100 webhook tokens already. Revoke tokens that are not used, and try again."
)
MSG_TOO_MANY_API_TOKENS = (
    "There are 100 API tokens already. Revoke tokens that are not used: flask api-tokens revoke ID"
)


def generate_token(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return the SHA-256 in hex. A plain hash suffices for random tokens and is fast enough for every call."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


FIRST_LABEL = "first"
"""Label of the token that is created together with an organization."""


def create_webhook_token(
    session: Session, organization: Organization, label: str, *, extra: int = 0
) -> tuple[WebhookToken, str]:
    """Create a token. Return its row and the token, which cannot be read again later.

    Raises Conflict if the organization has MAX_TOKENS and `extra` tokens already.
    """
    if _count_tokens(session, WebhookToken, organization.id) >= MAX_TOKENS + extra:
        raise Conflict(MSG_TOO_MANY_TOKENS)
    token = generate_token(WEBHOOK_PREFIX)
    row = WebhookToken(organization_id=organization.id, label=label, token_hash=hash_token(token))
    session.add(row)
    session.flush()
    trail.record(session, Action.TOKEN_CREATED, organization.id, token=row.id, label=label)
    return row, token


def find_free_label(session: Session, organization: Organization, label: str) -> str:
    """Return the label, with a number if a webhook token of the organization has it already: `Menu flow (2)`.

    Labels are for people, so two tokens that are created at the same moment may get the same one.
    """
    used = {row.label for row in list_webhook_tokens(session, organization)}
    suffixes = ("", *(f" ({number})" for number in range(2, len(used) + 2)))
    numbered = (label[: MAX_LABEL_LENGTH - len(suffix)] + suffix for suffix in suffixes)
    return next(free for free in numbered if free not in used)


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

    Return its row and the token, which cannot be read again later. Raises Conflict if the organization has MAX_TOKENS
    already, or the administrators have.
    """
    organization_id = organization.id if organization else None
    if _count_tokens(session, ApiToken, organization_id) >= MAX_TOKENS:
        raise Conflict(MSG_TOO_MANY_API_TOKENS)
    token = generate_token(API_PREFIX)
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


def _count_tokens(session: Session, table: type[WebhookToken | ApiToken], organization_id: int | None) -> int:
    """Count the tokens, so that no other transaction creates one before this one has ended."""
    lock_name(session, f"glific_gpt:{table.__tablename__}:{organization_id}")
    query = select(func.count()).select_from(table).where(table.organization_id == organization_id)
    return session.scalar(query) or 0
