"""The database: base and column types, sessions and transactions."""

from glific_gpt.database.base import Base, RowId, Usd, UtcDateTime, db
from glific_gpt.database.group_commit import GroupCommit, Write, prepare_writes, write_in
from glific_gpt.database.patience import BUSY_SECONDS
from glific_gpt.database.session import (
    LOOKUPS,
    UNAVAILABLE,
    insert_if_absent,
    lookup,
    owned,
    patiently,
    reading,
    transaction,
)

__all__ = [
    "BUSY_SECONDS",
    "LOOKUPS",
    "UNAVAILABLE",
    "Base",
    "GroupCommit",
    "RowId",
    "Usd",
    "UtcDateTime",
    "Write",
    "db",
    "insert_if_absent",
    "lookup",
    "owned",
    "patiently",
    "prepare_writes",
    "reading",
    "transaction",
    "write_in",
]
