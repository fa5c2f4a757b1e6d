"""Check that a process has the database's encryption keys, with a ciphertext that only they decrypt.

`flask db upgrade` stores the ciphertext, under the first key of its environment.
"""

from datetime import datetime

from sqlalchemy import Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base, insert_if_absent, transaction
from glific_gpt.errors import SettingsError
from glific_gpt.operations import secrets
from glific_gpt.vault import NO_ORGANIZATION, Vault

FIRST_REVISION = 12
"""The migration that creates the table."""

ROW_ID = 1
"""Id of the only row."""
PURPOSE = "key_check"

MSG_WRONG_KEYS = (
    "The database was encrypted with other keys than those in GLIFIC_GPT_ENCRYPTION_KEYS. Set the keys that the other "
    "servers of this database use. If they are lost, see 'flask credentials accept-keys --help'."
)


class KeyCheck(Base):
    """The ciphertext. There is at most one row, with the id 1."""

    __tablename__ = "key_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    ciphertext: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(default=now)
    """When a readiness check last wrote the row."""


def store(vault: Vault) -> None:
    """Store the ciphertext if it is missing, unless the keys can read no secret, although there are some."""
    if _read() is None:
        _create(vault)


def require_keys(vault: Vault) -> None:
    """Raise SettingsError if the keys are not those of the database. A missing ciphertext is stored."""
    ciphertext = _read()
    if not (_is_readable(vault, ciphertext) if ciphertext else _create(vault)):
        raise SettingsError(MSG_WRONG_KEYS)


def write_and_verify(vault: Vault) -> bool:
    """Write the row, and return whether the keys are those of the database. A missing ciphertext is stored."""
    with transaction() as session:
        write = update(KeyCheck).where(KeyCheck.id == ROW_ID).values(written_at=now()).returning(KeyCheck.ciphertext)
        ciphertext = session.scalar(write)
    return _is_readable(vault, ciphertext) if ciphertext else _create(vault)


def rotate(session: Session, vault: Vault) -> None:
    """Re-encrypt the ciphertext under the first key, unless the keys cannot read it."""
    row = session.get(KeyCheck, ROW_ID)
    if row and (rotated := vault.rotate(NO_ORGANIZATION, PURPOSE, row.ciphertext)):
        row.ciphertext = rotated


def accept_keys(session: Session, vault: Vault) -> None:
    """Replace the ciphertext, so that servers start with the current keys although those before are lost."""
    session.merge(KeyCheck(id=ROW_ID, ciphertext=_encrypt(vault), written_at=now()))


def _read() -> str | None:
    with transaction() as session:
        return session.scalar(select(KeyCheck.ciphertext).where(KeyCheck.id == ROW_ID))


def _create(vault: Vault) -> bool:
    """Store the ciphertext. Returns False if the keys can read no secret, although there are some."""
    *_, count = secrets.check(vault, secrets.SETTINGS)
    if count.unreadable and not count.readable:
        return False
    with transaction() as session:
        insert_if_absent(session, KeyCheck(id=ROW_ID, ciphertext=_encrypt(vault), written_at=now()))
        # Another process may have stored its own in the meantime.
        return _is_readable(vault, session.scalars(select(KeyCheck.ciphertext)).one())


def _encrypt(vault: Vault) -> str:
    return vault.encrypt(NO_ORGANIZATION, PURPOSE, PURPOSE)


def _is_readable(vault: Vault, ciphertext: str) -> bool:
    return vault.can_decrypt(NO_ORGANIZATION, PURPOSE, ciphertext)
