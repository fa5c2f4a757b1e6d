"""Group commit: what several calls write at the same moment is one transaction, which costs little more than one's."""

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeAlias

from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase

from glific_gpt import bridge
from glific_gpt.database.base import db
from glific_gpt.database.patience import TURN_SECONDS, be_patient
from glific_gpt.database.prepared import Values, driven, prepared
from glific_gpt.database.session import AT_ONCE

Write: TypeAlias = "tuple[UpdateBase, Values]"
"""A statement of SQLAlchemy's that was built once, and its values."""


@dataclass(eq=False)
class _Waiting:
    """What one call writes, and how that went."""

    writes: Sequence[Write]
    done: bridge.Signal = field(default_factory=bridge.Signal)
    failure: Exception | None = None
    had_company: bool = False


class GroupCommit:
    """Whoever comes while others are being written waits, and is then written together with all who wait."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._lock = Lock()
        self._is_writing = False

    def write(self, *writes: Write, alone: bool = False) -> None:
        """Returns when all of it is committed.

        Rows that other calls write too are to be written alone: groups of two processes could wait for each other.
        Raises IntegrityError where a row is there already, and UNAVAILABLE; then nothing of it is written.
        """
        engines = db.engines
        engine, at_once = engines[None], engines.get(AT_ONCE)
        # Where there is nobody to make a group with, nothing has to be waited for.
        if not alone and at_once and bridge.is_alone() and self._is_written_at_once(at_once, [writes]):
            return
        mine = _Waiting(writes)
        if not alone:
            self._write_in_a_group(engine, at_once, mine)
        # The row that was there already may have been another call's.
        if alone or (mine.had_company and isinstance(mine.failure, IntegrityError)):
            bridge.in_thread(lambda: self._commit(engine, [writes], self._patience))
        elif mine.failure:
            raise mine.failure

    def _is_written_at_once(self, at_once: Engine, group: Iterable[Sequence[Write]]) -> bool:
        """By the event loop itself, which waits for nobody."""
        with suppress(Exception):  # whatever it is, a thread has the time to find it out again
            self._commit(at_once, group, 0, keeps=True)
            return True
        return False

    def _write_in_a_group(self, engine: Engine, at_once: Engine | None, mine: _Waiting) -> None:
        with self._lock:
            self._waiting.append(mine)
            is_written, self._is_writing = self._is_writing, True
        if not is_written:
            self._begin(engine, at_once)
        if not mine.done.wait(TURN_SECONDS):
            self._leave(mine)

    def _begin(self, engine: Engine, at_once: Engine | None) -> None:
        """The event loop writes SQLite's file by itself, unless that is busy: to wake a thread takes longer."""
        if at_once and bridge.is_on_loop():
            bridge.soon(lambda: self._write_at_once(at_once, engine))
        else:
            bridge.begin(lambda: self._write_all(engine))

    def _write_at_once(self, at_once: Engine, engine: Engine) -> None:
        group = self._next_group()
        if self._is_written_at_once(at_once, [each.writes for each in group]):
            bridge.Signal.give_on_loop(each.done for each in group)
            group = []
        with self._lock:
            self._waiting.extendleft(reversed(group))
            has_more = self._is_writing = bool(self._waiting)
        if has_more:
            bridge.begin(lambda: self._write_all(engine))

    def _write_all(self, engine: Engine) -> None:
        """One group after the other, until nobody waits."""
        while group := self._next_group():
            failure: Exception | None = None
            try:
                self._commit(engine, [each.writes for each in group], self._patience)
            except Exception as error:  # noqa: BLE001 - it is raised where each of them waits
                failure = error
            for each in group:
                each.failure, each.had_company = failure, len(group) > 1
            bridge.Signal.give(each.done for each in group)

    def _next_group(self) -> list[_Waiting]:
        with self._lock:
            group = list(self._waiting)
            self._waiting.clear()
            self._is_writing = bool(group)
            return group

    def _commit(
        self, engine: Engine, group: Iterable[Sequence[Write]], patience: float, *, keeps: bool = False
    ) -> None:
        with driven(engine, keeps=keeps) as connection:
            be_patient(connection, patience)
            for (statement, names), values in _by_statement(group).items():
                prepared(statement, engine.dialect, names).execute(connection.driver_connection, values)
            connection.commit()

    def _leave(self, mine: _Waiting) -> None:
        """Raises TimeoutError, unless it is being written at this moment, which takes its time but ends."""
        with self._lock, suppress(ValueError):
            self._waiting.remove(mine)
            raise PoolTimeoutError("other calls are being written")
        if not mine.done.wait(TURN_SECONDS):
            raise PoolTimeoutError("the database does not say how it went")


def _by_statement(group: Iterable[Sequence[Write]]) -> dict[tuple[UpdateBase, tuple[str, ...]], list[Values]]:
    """Each statement once, with the values of all calls, in the order of the call that needs most of them."""
    gathered: dict[tuple[UpdateBase, tuple[str, ...]], list[Values]] = {}
    for writes in sorted(group, key=len, reverse=True):
        for statement, values in writes:
            gathered.setdefault((statement, tuple(values)), []).append(values)
    return gathered


def write_in(session: Session, writes: Iterable[Write]) -> None:
    """In the session's own transaction, with whatever else that does."""
    for statement, values in writes:
        session.execute(statement, values)


def prepare_writes(*writes: Write) -> None:
    """Compiles the statements, opens the connection on which the event loop will write them, and writes nothing."""
    for statement, values in writes:
        prepared(statement, db.engine.dialect, tuple(values))
    if at_once := db.engines.get(AT_ONCE):
        with driven(at_once):
            pass
