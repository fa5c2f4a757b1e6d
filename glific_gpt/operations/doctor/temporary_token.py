"""The webhook token of a test call: created before it, and revoked after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy.orm import Session

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.tables import Organization, WebhookToken

LABEL = "check-up, revoked at its end"
MAX_TEST_DURATION = timedelta(minutes=3)
"""No test call takes this long, so an older token was left by a process that was killed."""

MAX_TEST_TOKENS = 10
"""Tokens of test calls that an organization may have in addition to its own, so that it can always test its setup."""


@contextmanager
def temporary_token(slug: str) -> Iterator[SecretStr | None]:
    """Provide a webhook token for the block; None if the organization requires the signature."""
    with transaction() as session:
        organization = store.find(session, slug)
        _revoke_leftover_tokens(session, organization)
        created = None if organization.require_signature else _create_token(session, organization)
    if created is None:
        yield None
        return
    # The transaction has ended: the call reads the token in a transaction of its own, and takes seconds.
    row, token = created
    try:
        yield SecretStr(token)
    finally:
        with transaction() as session:
            tokens.revoke_webhook_token(session, store.find(session, slug), row.id)


def list_flow_tokens(session: Session, organization: Organization) -> list[WebhookToken]:
    """Return the organization's webhook tokens without those of test calls."""
    return [token for token in tokens.list_webhook_tokens(session, organization) if token.label != LABEL]


def _create_token(session: Session, organization: Organization) -> tuple[WebhookToken, str]:
    return tokens.create_webhook_token(session, organization, LABEL, extra=MAX_TEST_TOKENS)


def _revoke_leftover_tokens(session: Session, organization: Organization) -> None:
    for token in tokens.list_webhook_tokens(session, organization):
        if token.label == LABEL and now() - token.created_at > MAX_TEST_DURATION:
            tokens.revoke_webhook_token(session, organization, token.id)
