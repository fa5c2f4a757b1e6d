"""Rotation: every secret in the database under the first master key.

Each UPDATE names the ciphertext that was read: a secret that somebody has replaced meanwhile stays replaced.
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

BATCH = 200
"""Rows in one transaction: webhooks go on being answered between two of them."""


class Secret(NamedTuple):
    """A column of ciphertexts, with what the vault needs to read one."""

    table: type[Base]
    column: SQLColumnExpression[Any]
    purpose: SQLColumnExpression[str]
    organization_id: SQLColumnExpression[int]
    key: SQLColumnExpression[Any]
    """The table's primary key."""


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
    Secret(Delivery, Delivery.question, literal(delivery_records.QUESTION_PURPOSE), Delivery.organization_id, Delivery.call_id),
    Secret(Delivery, Delivery.answer, literal(delivery_records.ANSWER_PURPOSE), Delivery.organization_id, Delivery.call_id),
)
"""Stored answers are not among them: they live for a quarter of an hour."""


@dataclass
class Count:
    """How many secrets there are of each kind after a rotation."""

    reencrypted: int = 0
    unreadable: int = 0
    """Secrets that no master key reads; they are left as they are."""
    looked_at: int = 0
    """Secrets, of all that total() counts."""


def rotate(vault: Vault) -> Iterator[Count]:
    """Re-encrypts batch by batch, and yields the count so far after each, so that a long run can be watched."""
    count = Count()
    for secret in SECRETS:
        after = None
        while True:
            with transaction() as session:
                rows = _next(session, secret, after)
                _rotate_batch(session, vault, secret, rows, count)
            yield count
            if not rows:
                break
            after = rows[-1].key
    with transaction() as session:
        trail.record(session, Action.KEYS_ROTATED, reencrypted=count.reencrypted, unreadable=count.unreadable)


def total(session: Session) -> int:
    """How many secrets there are to look at."""
    counts = (select(func.count()).where(secret.column.is_not(None)) for secret in SECRETS)
    return sum(session.scalar(count) or 0 for count in counts)


def _next(session: Session, secret: Secret, after: Any) -> list[Row[Any]]:
    """The secrets that follow that key; None begins."""
    wanted: Any = select(
        secret.key.label("key"),
        secret.organization_id.label("organization_id"),
        secret.purpose.label("purpose"),
        secret.column.label("ciphertext"),
    ).where(secret.column.is_not(None))
    if after is not None:
        wanted = wanted.where(secret.key > after)
    return list(session.execute(wanted.order_by(secret.key).limit(BATCH)))


def _rotate_batch(session: Session, vault: Vault, secret: Secret, rows: list[Row[Any]], count: Count) -> None:
    for row in rows:
        try:
            new = vault.rotate(row.organization_id, row.purpose, row.ciphertext)
        except UnreadableSecret:
            count.unreadable += 1
            continue
        _replace(session, secret, row, new)
        count.reencrypted += 1
    count.looked_at += len(rows)


def _replace(session: Session, secret: Secret, row: Row[Any], new: str) -> None:
    """Writes the ciphertext, and nothing of when people last changed the row."""
    moments = {column: column for column in secret.table.__table__.columns if column.onupdate is not None}
    unchanged = (secret.key == row.key, secret.column == row.ciphertext)
    session.execute(update(secret.table).where(*unchanged).values({secret.column: new} | moments))
