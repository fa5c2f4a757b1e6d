"""The database: base and column types, sessions and transactions."""

from glific_gpt.database.base import Base, RowId, Usd, UtcDateTime, db
from glific_gpt.database.session import UNAVAILABLE, insert_if_absent, owned, patiently, reading, transaction

__all__ = [
    "UNAVAILABLE",
    "Base",
    "RowId",
    "Usd",
    "UtcDateTime",
    "db",
    "insert_if_absent",
    "owned",
    "patiently",
    "reading",
    "transaction",
]
