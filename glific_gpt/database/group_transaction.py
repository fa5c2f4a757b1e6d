"""Group transactions: execute the statements of concurrent calls, and a function for all of them, in one transaction.

Group commits do the same for statements only, and faster.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from glific_gpt.database.base import db
from glific_gpt.database.batch_queue import BatchQueue
from glific_gpt.database.fair_pool import for_batch
from glific_gpt.database.group_commit import Statement, group_by_statement
from glific_gpt.database.large_writes import LARGE_BYTES, run_large
from glific_gpt.database.timeouts import set_timeouts

MAX_BATCH = 20
"""Maximum number of works in a transaction. Each takes milliseconds, and all calls wait for the whole transaction."""


@dataclass(eq=False)
class Work:
    """The statements of one call."""

    statements: Sequence[Statement]
    key: str = ""
    """The id of the call, for the function that is called after the statements."""
    owner: int = 0
    """The organization of the call."""
    stored_bytes: int = 0
    """Size of the content that the statements store."""
    refusal: Exception | None = None
    """Set by the check of the transaction. Refused work is not done."""

    @property
    def is_large(self) -> bool:
        """True if the work must not share a transaction with that of other calls."""
        return self.stored_bytes >= LARGE_BYTES


Check = Callable[[Session, Sequence[Work]], object]
"""Sets or clears the refusal of each work, at the beginning of the transaction."""


Finish = Callable[[Session, Sequence[Work]], object]
"""Called after the statements of the accepted work, if there is any."""


def _do_nothing(_session: Session, _batch: Sequence[Work]) -> None:
    """The default check, which accepts all work, and the default for `finish`."""


class GroupTransaction:
    """Transactions that concurrent calls share, except for large work. Organizations take turns.

    A call waits until the transaction with its work is committed.
    """

    def __init__(self, timeout: float, queue_timeout: float) -> None:
        """`timeout` is that of each statement. Work waits at most `queue_timeout` seconds for its transaction."""
        self._timeout = timeout
        self._queue_timeout = queue_timeout
        self._queue = BatchQueue[Work](queue_timeout, MAX_BATCH, lambda work: work.owner, gives_up_slot=True)

    def run(self, work: Work, check: Check = _do_nothing, finish: Finish = _do_nothing) -> None:
        """Do the work, and return when it is committed. It may be repeated after a rollback.

        `check` and `finish` have to be the same for all work of this object. Raises what `finish` raises,
        IntegrityError for a row that exists already, and the errors in UNAVAILABLE. The transaction is rolled back
        then. Raises the refusal of the check; the transaction does the other work then.
        """
        commit = partial(_commit, db.engine, self._timeout, check, finish)
        if work.is_large:
            run_large(work.owner, lambda: commit([work]), self._queue_timeout)
        else:
            self._queue.write(work, commit)
        if work.refusal:
            raise work.refusal


def _commit(engine: Engine, timeout: float, check: Check, finish: Finish, arrived: Sequence[Work]) -> None:
    with for_batch(), Session(engine, expire_on_commit=False) as session:
        connection = session.connection()
        set_timeouts(connection.connection, timeout)
        check(session, arrived)
        batch = [each for each in arrived if each.refusal is None]
        for (statement, _names), rows in group_by_statement(each.statements for each in batch).items():
            connection.execute(statement, rows)
        if batch:
            finish(session, batch)
        session.commit()
