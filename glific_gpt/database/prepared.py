"""Prepared statements: what every call asks the database is compiled once, and given to the driver itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, cast
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql import ClauseElement, Select
from sqlalchemy.types import TypeEngine

Values: TypeAlias = Mapping[str, Any]
Processor: TypeAlias = "Callable[[Any], Any] | None"


class Prepared:
    """A statement of SQLAlchemy's for one kind of database and one set of values.

    SQLAlchemy itself would see to a hundred things at each execution that are the same for each of these: it takes five
    times as long, which was a fifth of the time that a call takes.
    """

    def __init__(self, statement: ClauseElement, dialect: Dialect, names: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
        self._sql = str(compiled)
        self._constants = {name: value for name, value in compiled.params.items() if name not in names}
        names_of: dict[Any, str] = compiled.bind_names
        self._binders = {name: _binder(bind.type, dialect) for bind, name in names_of.items()}
        self._order: Sequence[str] | None = compiled.positiontup
        columns = statement.selected_columns if isinstance(statement, Select) else ()
        self._readers = [(str(column.key), _reader(column.type, dialect)) for column in columns]

    def execute(self, raw: Any, many: Sequence[Values]) -> None:
        """Writes one row or several, over the driver's connection."""
        bound = [self._bound(values) for values in many]
        if len(bound) == 1:
            raw.execute(self._sql, bound[0])
        else:
            raw.cursor().executemany(self._sql, bound)

    def find(self, raw: Any, values: Values) -> dict[str, Any] | None:
        """The one row that there is, by the names of its columns."""
        row = raw.execute(self._sql, self._bound(values)).fetchone()
        if row is None:
            return None
        read = zip(self._readers, row, strict=True)
        return {name: reader(value) if reader else value for (name, reader), value in read}

    def _bound(self, values: Values) -> Any:
        all_values = {**self._constants, **values}
        bound = {name: bind(all_values[name]) if bind else all_values[name] for name, bind in self._binders.items()}
        return bound if self._order is None else [bound[name] for name in self._order]


_prepared: dict[tuple[object, ...], Prepared] = {}


def prepared(statement: ClauseElement, dialect: Dialect, names: Sequence[str]) -> Prepared:
    """The statement, compiled when it is needed for the first time."""
    key = (statement, dialect.name, *names)
    if key not in _prepared:
        _prepared[key] = Prepared(statement, dialect, names)
    return _prepared[key]


@contextmanager
def driven(engine: Engine, *, keeps: bool = False) -> Iterator[PoolProxiedConnection]:
    """A connection of the engine's for prepared statements; what the driver raises is SQLAlchemy's, as elsewhere.

    The event loop, which is but one thread, `keeps` its own: to borrow one from the pool and to give it back takes as
    long as what is asked.
    """
    connection = _kept.pop(engine, None) if keeps else None
    try:
        connection = connection or engine.raw_connection()
        yield connection
        if keeps:
            _kept[engine], connection = connection, None
    except engine.dialect.loaded_dbapi.Error as failure:
        raise _in_sqlalchemys_words(failure, engine, connection) from None
    finally:
        if connection:
            connection.close()


_kept: WeakKeyDictionary[Engine, PoolProxiedConnection] = WeakKeyDictionary()


def give_back(engine: Engine) -> None:
    """The connection that was kept."""
    if connection := _kept.pop(engine, None):
        connection.close()


def _in_sqlalchemys_words(failure: Any, engine: Engine, connection: PoolProxiedConnection | None) -> Any:
    dialect, errors = engine.dialect, engine.dialect.loaded_dbapi.Error
    if connection and dialect.is_disconnect(failure, cast("DBAPIConnection", connection.driver_connection), None):
        connection.invalidate(failure)
    return DBAPIError.instance(None, None, failure, errors, hide_parameters=True, dialect=dialect)


def _binder(type_: TypeEngine[Any], dialect: Dialect) -> Processor:
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> Processor:
    return type_.dialect_impl(dialect).result_processor(dialect, None)
