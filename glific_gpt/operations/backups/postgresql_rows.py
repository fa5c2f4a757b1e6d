"""Read and write all rows of a PostgreSQL database, with COPY."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy.engine import URL

from glific_gpt.durable import schema
from glific_gpt.operations.backups import databases
from glific_gpt.operations.backups.columns import Row, Type, convert_rows, from_postgresql, parse_type, to_postgresql
from glific_gpt.operations.backups.contents import WAITING_ANSWERS

COLUMNS = """
SELECT table_schema, table_name, column_name, udt_name FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema IN (current_schema(), %s) AND table_type = 'BASE TABLE' ORDER BY table_name, ordinal_position
"""

SEQUENCES = """
SELECT table_schema, table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND column_default LIKE 'nextval(%%'
"""


class PostgresqlRows:
    """The rows of our tables and those of the workflow engine, in one transaction."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._schemas: dict[str, str] = {}
        """Schema of each table."""

    def tables(self) -> dict[str, dict[str, Type]]:
        """Return the columns of each table with their types."""
        found: dict[str, dict[str, Type]] = {}
        for schema_name, table, column, kind in self._connection.execute(COLUMNS, (schema.POSTGRESQL_SCHEMA,)):
            self._schemas[table] = schema_name
            found.setdefault(table, {})[column] = parse_type(kind)
        return found

    def count(self, table: str) -> int:
        row = self._connection.execute(SQL("SELECT count(*) FROM {}").format(self._name(table))).fetchone()
        return int(row[0]) if row else 0

    def count_waiting(self) -> int:
        row = self._connection.execute(WAITING_ANSWERS.encode()).fetchone()
        return int(row[0]) if row else 0

    def read(self, table: str, columns: Mapping[str, Type]) -> Iterator[Row]:
        """Yield all rows in the common form, a few at a time in memory."""
        query = SQL("COPY {} ({}) TO STDOUT").format(self._name(table), _names(columns))
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            yield from convert_rows(copy.rows(), [from_postgresql(kind) for kind in columns.values()])

    def delete(self, table: str) -> None:
        self._connection.execute(SQL("DELETE FROM {}").format(self._name(table)))

    def write(self, table: str, columns: Mapping[str, Type], rows: Iterable[Row]) -> None:
        """Raises psycopg.Error if PostgreSQL refuses a value."""
        query = SQL("COPY {} ({}) FROM STDIN").format(self._name(table), _names(columns))
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for row in convert_rows(rows, [to_postgresql(kind) for kind in columns.values()]):
                copy.write_row(row)

    def set_sequences(self) -> None:
        """Let the next id of each table follow its largest one."""
        for schema_name, table, column in self._connection.execute(SEQUENCES).fetchall():
            sequence = SQL(
                "SELECT setval(pg_get_serial_sequence({0}, {1}), max({2})) FROM {3} HAVING max({2}) > 0"
            ).format(Identifier(schema_name, table).as_string(), column, Identifier(column), self._name(table))
            self._connection.execute(sequence)

    def commit(self) -> None:
        self._connection.commit()

    def _name(self, table: str) -> Identifier:
        return Identifier(self._schemas[table], table)


def _names(columns: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, columns))


@contextmanager
def open_rows(url: URL, *, writes: bool = False) -> Iterator[PostgresqlRows]:
    """Begin a transaction: for writing, or a snapshot. It ends with a rollback unless it is committed."""
    connection: psycopg.Connection[Any]
    with psycopg.connect(**databases.connection_options(url)) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for setting in ("statement_timeout = 0", "lock_timeout = 0", "timezone = 'UTC'", "datestyle = 'ISO'"):
            connection.execute(f"SET LOCAL {setting}".encode())
        if not writes:
            connection.execute("SET TRANSACTION READ ONLY")
        yield PostgresqlRows(connection)
        connection.rollback()
