"""The webhook token of a check-up: made for its one call, and revoked at its end."""

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
LONGEST = timedelta(minutes=3)
"""No check-up takes that long: an older token is left from one that was killed."""


@contextmanager
def lent(slug: str) -> Iterator[SecretStr | None]:
    """The token while inside; None for an organization that requires the signature."""
    with transaction() as session:
        row = store.find(session, slug)
        _revoke_left(session, row)
        made = None if row.require_signature else tokens.create_webhook_token(session, row, LABEL)
    if made is None:
        yield None
        return
    token, secret = made
    try:
        yield SecretStr(secret)
    finally:
        with transaction() as session:
            tokens.revoke_webhook_token(session, store.find(session, slug), token.id)


def of_flows(session: Session, row: Organization) -> list[WebhookToken]:
    """The organization's webhook tokens without those of check-ups."""
    return [token for token in tokens.list_webhook_tokens(session, row) if token.label != LABEL]


def _revoke_left(session: Session, row: Organization) -> None:
    for token in tokens.list_webhook_tokens(session, row):
        if token.label == LABEL and now() - token.created_at > LONGEST:
            tokens.revoke_webhook_token(session, row, token.id)
