"""Key rotation: re-encrypt every secret in the database with the first master key.

Each UPDATE matches the ciphertext that was read, so that a secret that changes during the rotation is not overwritten.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import transaction
from glific_gpt.operations import key_check
from glific_gpt.operations.secrets import SECRETS, Secret, SecretCount, next_batch
from glific_gpt.vault import Vault


def rotate(vault: Vault) -> Iterator[SecretCount]:
    """Re-encrypt all secrets in batches, and yield the progress after each batch.

    Secrets that no master key decrypts are left unchanged.
    """
    count = SecretCount()
    for secret in SECRETS:
        rows: list[Row[Any]] | None = None
        while rows is None or rows:
            with transaction() as session:
                rows = next_batch(session, secret, rows[-1].key if rows else None)
                for row in rows:
                    count.add(row.organization_id, is_readable=_rotate(session, vault, secret, row))
            # Outside the transaction, which would stay open while the caller shows the progress.
            yield count
    with transaction() as session:
        key_check.rotate(session, vault)
        trail.record(session, Action.KEYS_ROTATED, reencrypted=count.readable, unreadable=count.unreadable)


def _rotate(session: Session, vault: Vault, secret: Secret, row: Row[Any]) -> bool:
    """Return whether the secret can be read."""
    ciphertext = vault.rotate(row.organization_id, row.purpose, row.ciphertext)
    if ciphertext is None:
        return False
    # Columns such as `updated_at` keep their values: they show the last change by a user.
    timestamps = {column: column for column in secret.table.__table__.columns if column.onupdate is not None}
    unchanged = (secret.key == row.key, secret.column == row.ciphertext)
    session.execute(update(secret.table).where(*unchanged).values({secret.column: ciphertext} | timestamps))
    return True
