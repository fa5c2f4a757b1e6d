"""Rotation: every secret in the database under the first master key.

Each UPDATE names the ciphertext that was read: a secret that somebody has replaced meanwhile stays replaced.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from glific_gpt.credentials.tables import Credential
from glific_gpt.database import transaction
from glific_gpt.organizations import signature
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import UnreadableSecret, Vault

TABLES: tuple[type[Credential], type[Organization]] = (Credential, Organization)

BATCH = 200
"""Rows in one transaction: webhooks go on being answered between two of them."""


@dataclass
class Count:
    """How many secrets there are of each kind after a rotation."""

    reencrypted: int = 0
    unreadable: int = 0
    """Secrets that no master key reads; they are left as they are."""
    rows: int = 0
    """Rows looked at, of all that total() counts."""


def rotate(vault: Vault) -> Iterator[Count]:
    """Re-encrypts batch by batch, and yields the count so far after each, so that a long run can be watched."""
    count = Count()
    for table in TABLES:
        after: int | None = 0
        while after is not None:
            with transaction() as session:
                after = _rotate_batch(session, vault, table, after, count)
            yield count


def total(session: Session) -> int:
    """How many rows there are to look at."""
    return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES)


def _rotate_batch(
    session: Session, vault: Vault, table: type[Credential] | type[Organization], after: int, count: Count
) -> int | None:
    """Re-encrypts the rows that follow; the last one's id, or None when there are no more."""
    query = select(table).where(table.id > after).order_by(table.id).limit(BATCH)
    rows = cast("Sequence[Credential | Organization]", session.scalars(query).all())
    count.rows += len(rows)
    for row in rows:
        try:
            count.reencrypted += _rotate_row(session, vault, row)
        except UnreadableSecret:
            count.unreadable += 1
    return rows[-1].id if rows else None


def _rotate_row(session: Session, vault: Vault, row: Credential | Organization) -> int:
    """How many secrets of this row are under the first master key now."""
    if isinstance(row, Credential):
        new = vault.rotate(row.organization_id, row.provider, row.ciphertext)
        change = update(Credential).where(Credential.id == row.id, Credential.ciphertext == row.ciphertext)
        session.execute(change.values(ciphertext=new, updated_at=Credential.updated_at))
        return 1
    if row.signature_phrase is None:
        return 0
    new = vault.rotate(row.id, signature.PURPOSE, row.signature_phrase)
    unchanged = Organization.signature_phrase == row.signature_phrase
    session.execute(update(Organization).where(Organization.id == row.id, unchanged).values(signature_phrase=new))
    return 1
