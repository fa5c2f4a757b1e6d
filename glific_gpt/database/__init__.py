"""The database: base class, column types, sessions and transactions."""

from glific_gpt.database.base import Base, RowId, Usd, UtcDateTime, db
from glific_gpt.database.batches import BATCH_SIZE, delete_batch, run_in_batches
from glific_gpt.database.group_commit import GroupCommit, Statement, execute_all, precompile
from glific_gpt.database.group_transaction import GroupTransaction, Work
from glific_gpt.database.large_writes import run_large, submit_large
from glific_gpt.database.late_writes import LateWrites
from glific_gpt.database.session import (
    UNAVAILABLE,
    fetch_one,
    insert_if_absent,
    lock_name,
    lock_rows,
    lock_rows_briefly,
    owned,
    reading,
    retry_until_available,
    run_transaction,
    transaction,
)
from glific_gpt.database.timeouts import STATEMENT_TIMEOUT_SECONDS

__all__ = [
    "BATCH_SIZE",
    "STATEMENT_TIMEOUT_SECONDS",
    "UNAVAILABLE",
    "Base",
    "GroupCommit",
    "GroupTransaction",
    "LateWrites",
    "RowId",
    "Statement",
    "Usd",
    "UtcDateTime",
    "Work",
    "db",
    "delete_batch",
    "execute_all",
    "fetch_one",
    "insert_if_absent",
    "lock_name",
    "lock_rows",
    "lock_rows_briefly",
    "owned",
    "precompile",
    "reading",
    "retry_until_available",
    "run_in_batches",
    "run_large",
    "run_transaction",
    "submit_large",
    "transaction",
]
