"""Read and write all rows of a SQLite database."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

from glific_gpt.operations.backups import sqlite_files
from glific_gpt.operations.backups.columns import Row, Type, convert_rows, from_sqlite, parse_type
from glific_gpt.operations.backups.contents import WAITING_ANSWERS

CACHE_KIBIBYTES = 64 * 1024
"""Cache of the connection. With the default of 2 MB, the entries of indexes are written to the disk again and again."""


class SqliteRows:
    """The rows in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tables(self) -> dict[str, dict[str, Type]]:
        """Return the columns of each table with their types."""
        columns = "SELECT name, type FROM pragma_table_info(?)"
        return {
            table: {name: parse_type(kind) for name, kind in self._connection.execute(columns, (table,))}
            for table in sqlite_files.list_tables(self._connection)
        }

    def count(self, table: str) -> int:
        return int(self._connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608 - a name

    def count_waiting(self) -> int:
        return int(self._connection.execute(WAITING_ANSWERS).fetchone()[0])

    def read(self, table: str, columns: Mapping[str, Type]) -> Iterator[Row]:
        """Yield all rows in the common form, a few at a time in memory."""
        rows = self._connection.execute(f'SELECT {_names(columns)} FROM "{table}"')  # noqa: S608 - names
        return convert_rows(rows, [from_sqlite(kind) for kind in columns.values()])

    def delete(self, table: str) -> None:
        self._connection.execute(f'DELETE FROM "{table}"')  # noqa: S608 - a name

    def write(self, table: str, columns: Mapping[str, Type], rows: Iterable[Row]) -> None:
        places = ", ".join("?" * len(columns))
        self._connection.executemany(f'INSERT INTO "{table}" ({_names(columns)}) VALUES ({places})', rows)  # noqa: S608

    def set_sequences(self) -> None:
        """SQLite has none: the next id is the largest one plus 1."""

    def commit(self) -> None:
        self._connection.execute("COMMIT")


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


@contextmanager
def open_rows(path: Path, *, writes: bool = False) -> Iterator[SqliteRows]:
    """Begin a transaction: for writing, or a snapshot. It ends with a rollback unless it is committed."""
    with sqlite_files.connect(path) as connection:
        connection.execute(f"PRAGMA cache_size = {-CACHE_KIBIBYTES}")
        connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        yield SqliteRows(connection)
