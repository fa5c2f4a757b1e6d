"""Key rotation: re-encrypt every secret in the database with the first master key.

Each UPDATE matches the ciphertext that was read, so that a secret that changes during the rotation is not overwritten.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row, SQLColumnExpression, func, literal, select, update
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Delivery
from glific_gpt.connections import store
from glific_gpt.connections.tables import GlificConnection
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import Base, transaction
from glific_gpt.organizations import signature
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import UnreadableSecret, Vault

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


SECRETS = (
    Secret(Credential, Credential.ciphertext, Credential.provider, Credential.organization_id, Credential.id),
    Secret(Organization, Organization.signature_phrase, literal(signature.PURPOSE), Organization.id, Organization.id),
    Secret(
        GlificConnection,
        GlificConnection.ciphertext,
        literal(store.PURPOSE),
        GlificConnection.organization_id,
        GlificConnection.organization_id,
    ),
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
)
"""Stored answers for repeated calls are not included, because they expire after 15 minutes."""


@dataclass
class RotationCount:
    """Progress and result of a rotation."""

    reencrypted: int = 0
    unreadable: int = 0
    """Secrets that no master key decrypts. They are left unchanged."""
    processed: int = 0
    """Secrets so far, of the number that `count_secrets` returns."""


def rotate(vault: Vault) -> Iterator[RotationCount]:
    """Re-encrypt all secrets in batches, and yield the progress after each batch."""
    count = RotationCount()
    for secret in SECRETS:
        after = None
        while True:
            with transaction() as session:
                rows = _next_batch(session, secret, after)
                _rotate_batch(session, vault, secret, rows, count)
            # Outside the transaction, which would stay open while the caller shows the progress.
            yield count
            if not rows:
                break
            # By key and not by number, because rows may be added and deleted between two batches.
            after = rows[-1].key
    with transaction() as session:
        trail.record(session, Action.KEYS_ROTATED, reencrypted=count.reencrypted, unreadable=count.unreadable)


def count_secrets(session: Session) -> int:
    """Return the number of secrets to process."""
    counts = (select(func.count()).where(secret.column.is_not(None)) for secret in SECRETS)
    return sum(session.scalar(count) or 0 for count in counts)


def _next_batch(session: Session, secret: Secret, after: Any) -> list[Row[Any]]:
    """Return the next batch of secrets in the order of their keys. `after` is the last key, None at the beginning."""
    query: Any = select(
        secret.key.label("key"),
        secret.organization_id.label("organization_id"),
        secret.purpose.label("purpose"),
        secret.column.label("ciphertext"),
    ).where(secret.column.is_not(None))
    if after is not None:
        query = query.where(secret.key > after)
    return list(session.execute(query.order_by(secret.key).limit(BATCH_SIZE)))


def _rotate_batch(session: Session, vault: Vault, secret: Secret, rows: list[Row[Any]], count: RotationCount) -> None:
    for row in rows:
        try:
            rotated = vault.rotate(row.organization_id, row.purpose, row.ciphertext)
        except UnreadableSecret:
            count.unreadable += 1
            continue
        _replace(session, secret, row, rotated)
        count.reencrypted += 1
    count.processed += len(rows)


def _replace(session: Session, secret: Secret, row: Row[Any], ciphertext: str) -> None:
    """Write the new ciphertext without changing columns such as `updated_at`, which show the last change by a user."""
    timestamps = {column: column for column in secret.table.__table__.columns if column.onupdate is not None}
    unchanged = (secret.key == row.key, secret.column == row.ciphertext)
    session.execute(update(secret.table).where(*unchanged).values({secret.column: ciphertext} | timestamps))
