"""Group commit: what several calls write at the same moment is one transaction, which costs little more than one's."""

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TypeAlias

from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql.dml import UpdateBase

from glific_gpt.database.base import db
from glific_gpt.database.patience import TURN_SECONDS, be_patient
from glific_gpt.database.prepared import Values, driven, prepared

Write: TypeAlias = "tuple[UpdateBase, Values]"
"""A statement of SQLAlchemy's that was built once, and its values."""


@dataclass(eq=False)
class _Waiting:
    """What one call writes, and how that went."""

    writes: Sequence[Write]
    woken: Event = field(default_factory=Event)
    is_done: bool = False
    failure: Exception | None = None
    had_company: bool = False


class GroupCommit:
    """Whoever comes while others are being written waits, and is then written together with all who wait.

    One of those that wait does it for all: there is no thread for it, and a call that is alone waits for nobody.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._turn = Lock()

    def write(self, *writes: Write, alone: bool = False) -> None:
        """Returns when all of it is committed.

        Rows that other calls write too are to be written alone: groups of two processes could wait for each other.
        Raises IntegrityError where a row is there already, and UNAVAILABLE; then nothing of it is written.
        """
        mine = _Waiting(writes)
        if not alone:
            self._write_in_a_group(mine)
        # The row that was there already may have been another call's.
        if alone or (mine.had_company and isinstance(mine.failure, IntegrityError)):
            self._commit([mine])
        elif mine.failure:
            raise mine.failure

    def _write_in_a_group(self, mine: _Waiting) -> None:
        self._waiting.append(mine)
        while not mine.is_done:
            if self._turn.acquire(blocking=False):
                self._write_all()
            elif not mine.woken.wait(TURN_SECONDS):
                self._leave(mine)
            mine.woken.clear()

    def _write_all(self) -> None:
        group: list[_Waiting] = []
        failure: Exception | None = None
        try:
            with suppress(IndexError):
                while True:
                    group.append(self._waiting.popleft())
            self._commit(group)
        except Exception as error:  # noqa: BLE001 - it is raised where each of them waits
            failure = error
        finally:
            self._turn.release()
            for each in group:
                each.failure, each.had_company, each.is_done = failure, len(group) > 1, True
                each.woken.set()
            self._wake_next()

    def _commit(self, group: Iterable[_Waiting]) -> None:
        engine = db.engine
        with driven(engine) as connection:
            be_patient(connection, self._patience)
            for (statement, names), values in _by_statement(group).items():
                prepared(statement, engine.dialect, names).execute(connection.driver_connection, values)
            connection.commit()

    def _leave(self, mine: _Waiting) -> None:
        """Raises TimeoutError, unless it is being written at this moment."""
        with suppress(ValueError):
            self._waiting.remove(mine)
            self._wake_next()
            raise PoolTimeoutError("other calls are being written")

    def _wake_next(self) -> None:
        with suppress(IndexError):
            self._waiting[0].woken.set()


def _by_statement(group: Iterable[_Waiting]) -> dict[tuple[UpdateBase, tuple[str, ...]], list[Values]]:
    """Each statement once, with the values of all calls, in the order of the call that needs most of them."""
    gathered: dict[tuple[UpdateBase, tuple[str, ...]], list[Values]] = {}
    for each in sorted(group, key=lambda waiting: -len(waiting.writes)):
        for statement, values in each.writes:
            gathered.setdefault((statement, tuple(values)), []).append(values)
    return gathered
