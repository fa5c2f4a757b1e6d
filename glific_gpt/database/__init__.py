"""The database: base and column types, sessions and transactions."""

from glific_gpt.database.base import Base, Usd, UtcDateTime, db
from glific_gpt.database.session import UNAVAILABLE, insert_if_absent, owned, transaction

__all__ = ["UNAVAILABLE", "Base", "Usd", "UtcDateTime", "db", "insert_if_absent", "owned", "transaction"]
