"""The database: base class, column types, sessions and transactions."""

from glific_gpt.database.base import Base, RowId, Usd, UtcDateTime, db
from glific_gpt.database.group_commit import GroupCommit, Statement, execute_all, precompile
from glific_gpt.database.session import (
    UNAVAILABLE,
    fetch_one,
    insert_if_absent,
    owned,
    reading,
    retry_until_available,
    transaction,
)
from glific_gpt.database.timeouts import STATEMENT_TIMEOUT_SECONDS

__all__ = [
    "STATEMENT_TIMEOUT_SECONDS",
    "UNAVAILABLE",
    "Base",
    "GroupCommit",
    "RowId",
    "Statement",
    "Usd",
    "UtcDateTime",
    "db",
    "execute_all",
    "fetch_one",
    "insert_if_absent",
    "owned",
    "precompile",
    "reading",
    "retry_until_available",
    "transaction",
]
