"""The contents of a backup or a database, and the kinds of databases."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from glific_gpt.errors import InvalidValue
from glific_gpt.operations import key_check
from glific_gpt.vault import NO_ORGANIZATION, Vault

Progress = Callable[[str, int, int], None]
"""Called with the name of a phase, what is done of it so far, and its total, which is 0 if it is not known."""

REVISIONS = "alembic_version"
ENGINE_REVISIONS = "dbos_migrations"
DELIVERIES, EMAILS, KEY_CHECK = "deliveries", "outgoing_emails", key_check.KeyCheck.__tablename__

WAITING_ANSWERS = "SELECT count(*) FROM deliveries WHERE state = 'waiting'"
"""Query for the number of waiting answers."""

MSG_NOT_A_BACKUP = "The file is not a backup of this server. Use a file that 'flask database backup' has written."
MSG_DAMAGED = "The file is incomplete or damaged ({}). Use another backup."


class Kind(StrEnum):
    """Kinds of databases."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"

    @property
    def label(self) -> str:
        """The database's name for people."""
        return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[self]


@dataclass(frozen=True)
class Contents:
    """The contents of a backup or a database."""

    revision: int
    """Number of the last migration."""
    rows: dict[str, int]
    """Numbers of rows by table. Tables of the workflow engine are included, without their schema."""
    waiting_answers: int = 0
    waiting_emails: int = 0
    key_check: str | None = None
    """The ciphertext of the key check; None if there is none."""

    def has_waiting(self) -> bool:
        return self.waiting_answers + self.waiting_emails > 0

    def is_readable(self, vault: Vault) -> bool:
        """Return whether the secrets are encrypted with the keys of this process, as far as that is known."""
        return self.key_check is None or vault.can_decrypt(NO_ORGANIZATION, key_check.PURPOSE, self.key_check)


def parse_revision(found: object) -> int:
    """Return the number of a revision. Raises InvalidValue if it is not one of this server."""
    if not str(found).isdecimal():
        raise InvalidValue(MSG_NOT_A_BACKUP)
    return int(str(found))
