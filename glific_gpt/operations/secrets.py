"""All secrets in the database: where they are, and how many of them this process can read."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, SQLColumnExpression, func, literal, select
from sqlalchemy.orm import Session

from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Delivery
from glific_gpt.database import Base, transaction
from glific_gpt.emails import outbox
from glific_gpt.emails.tables import OutgoingEmail
from glific_gpt.organizations import signature
from glific_gpt.organizations.connections import store
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import NO_ORGANIZATION, Vault

BATCH_SIZE = 200
"""Rows per transaction. Webhooks are answered between two transactions."""


class Secret(NamedTuple):
    """A column of ciphertexts, with the columns that the vault needs to decrypt it."""

    table: type[Base]
    column: SQLColumnExpression[Any]
    purpose: SQLColumnExpression[str]
    organization_id: SQLColumnExpression[int]
    key: SQLColumnExpression[Any]
    """Primary key of the table."""
    conditions: tuple[ColumnElement[bool], ...] = ()
    """Which rows to read; empty for all."""


SETTINGS = (
    Secret(Credential, Credential.ciphertext, Credential.provider, Credential.organization_id, Credential.id),
    Secret(Organization, Organization.signature_phrase, literal(signature.PURPOSE), Organization.id, Organization.id),
    Secret(
        GlificConnection,
        GlificConnection.ciphertext,
        literal(store.PURPOSE),
        GlificConnection.organization_id,
        GlificConnection.organization_id,
    ),
)
"""Secrets that people have entered."""

SECRETS = (
    *SETTINGS,
    Secret(
        Delivery,
        Delivery.question,
        literal(delivery_records.QUESTION_PURPOSE),
        Delivery.organization_id,
        Delivery.call_id,
    ),
    Secret(
        Delivery, Delivery.answer, literal(delivery_records.ANSWER_PURPOSE), Delivery.organization_id, Delivery.call_id
    ),
    Secret(
        OutgoingEmail,
        OutgoingEmail.content,
        literal(outbox.PURPOSE),
        literal(NO_ORGANIZATION),
        OutgoingEmail.id,
    ),
)
"""All secrets. Stored answers for repeated calls are not included, because they expire after 15 minutes."""


@dataclass
class SecretCount:
    """Progress and result of a check."""

    readable: int = 0
    unreadable: int = 0
    """Secrets that no master key decrypts."""
    organization_ids: set[int] = field(default_factory=set)
    """Organizations with an unreadable secret; NO_ORGANIZATION for the server's own."""

    @property
    def processed(self) -> int:
        """Secrets so far, of the number that `count_secrets` returns."""
        return self.readable + self.unreadable

    def add(self, organization_id: int, *, is_readable: bool) -> None:
        if is_readable:
            self.readable += 1
        else:
            self.unreadable += 1
            self.organization_ids.add(organization_id)


def check(
    vault: Vault,
    secrets: Sequence[Secret] = SECRETS,
    open_session: Callable[[], AbstractContextManager[Session]] = transaction,
) -> Iterator[SecretCount]:
    """Try to decrypt every secret, and yield the progress after each batch. Nothing is changed."""
    count = SecretCount()
    for secret in secrets:
        rows: list[Row[Any]] | None = None
        while rows is None or rows:
            with open_session() as session:
                rows = next_batch(session, secret, rows[-1].key if rows else None)
            for row in rows:
                is_readable = vault.can_decrypt(row.organization_id, row.purpose, row.ciphertext)
                count.add(row.organization_id, is_readable=is_readable)
            yield count


def count_secrets(session: Session) -> int:
    """Return the number of all secrets."""
    counts = (select(func.count()).where(secret.column.is_not(None)) for secret in SECRETS)
    return sum(session.scalar(count) or 0 for count in counts)


def next_batch(session: Session, secret: Secret, after: Any) -> list[Row[Any]]:
    """Return the next batch of secrets in the order of their keys. `after` is the last key, None at the beginning.

    By key and not by number, because rows may be added and deleted between two batches.
    """
    query: Any = select(
        secret.key.label("key"),
        secret.organization_id.label("organization_id"),
        secret.purpose.label("purpose"),
        secret.column.label("ciphertext"),
    ).where(secret.column.is_not(None), *secret.conditions)
    if after is not None:
        query = query.where(secret.key > after)
    return list(session.execute(query.order_by(secret.key).limit(BATCH_SIZE)))


def list_slugs(count: SecretCount) -> list[str]:
    """Return the slugs of the organizations with an unreadable secret, in alphabetical order."""
    with transaction() as session:
        query = select(Organization.slug).where(Organization.id.in_(count.organization_ids)).order_by(Organization.slug)
        return list(session.scalars(query))
