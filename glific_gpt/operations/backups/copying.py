"""Copy all rows of a database to an empty one, of any kind, and compare them."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy.engine import URL

from glific_gpt.database import db, migrations
from glific_gpt.durable.locks import locks_for
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.operations.backups import databases, postgresql_rows, sqlite_rows
from glific_gpt.operations.backups.columns import Row, Type, convert_rows
from glific_gpt.operations.backups.contents import EMAILS, ENGINE_REVISIONS, REVISIONS, Contents, Kind, Progress
from glific_gpt.operations.backups.postgresql_rows import PostgresqlRows
from glific_gpt.operations.backups.sqlite_rows import SqliteRows

Rows = SqliteRows | PostgresqlRows
Tables = dict[str, dict[str, Type]]
"""Columns with their types, by table."""

PROGRESS_ROWS = 1000
"""Rows between two reports of the progress."""

OWN_TABLES = frozenset({REVISIONS, ENGINE_REVISIONS})
"""Tables that the migrations of each database write."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Takes the place of the character NUL, which PostgreSQL cannot store."""

MSG_SAME = "--to names the database of GLIFIC_GPT_DATABASE_URL itself. Name another one."
MSG_OTHER_TABLES = "The databases have different tables or columns ({}). Run 'flask db upgrade' on the first one."
MSG_REFUSED = "The new database refuses a row of the table {} ({}). Nothing was copied."
MSG_DIFFERENT = "The table {} differs after the copy. Nothing was copied. Copy again, and report this if it repeats."


@dataclass
class Fingerprint:
    """Number and content of rows, in any order."""

    rows: int = 0
    content: int = 0
    """Sum of the rows' hashes, which are the same within one process."""

    def pass_on(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self.rows += 1
            self.content += hash(row)
            yield row


@dataclass
class Copied:
    """The result of a copy."""

    source: Kind
    target: Kind
    contents: Contents = field(default_factory=lambda: Contents(migrations.newest(), {}))
    """Contents of both databases: their rows were compared."""
    replaced_texts: int = 0
    """Texts in which the character NUL was replaced."""
    source_in_use: bool = False
    """True if a server or worker used the source. Its later changes are not in the copy."""
    seconds: float = 0.0


@databases.driver_errors()
def copy(source: URL, target: URL, progress: Progress) -> Copied:
    """Copy everything that the source holds at this moment. If it fails, the target is empty.

    Raises Conflict if the target is not empty or in use, or refuses a row; InvalidValue if it is the source.
    """
    begun = time.monotonic()
    if source == target:
        raise InvalidValue(MSG_SAME)
    _require_known(source)
    databases.require_empty_and_unused(target, "The database of --to")
    if databases.kind_of(target) is Kind.POSTGRESQL:
        databases.delete_rest_of_restore(target)
    with databases.using(target):
        databases.upgrade()
    copied = Copied(databases.kind_of(source), databases.kind_of(target))
    copied.source_in_use = is_in_use(source)
    with _open(source) as old, _open(target, writes=True) as new:
        _Copy(old, new, copied, progress).run()
        new.commit()
    if copied.target is Kind.POSTGRESQL:
        databases.analyze(target)
    copied.seconds = time.monotonic() - begun
    return copied


def is_in_use(url: URL) -> bool:
    """Return whether a server or worker runs on the database."""
    return locks_for(url).is_any_held()


def _require_known(source: URL) -> None:
    with databases.connect(source) as connection:
        databases.require_known(databases.find_revision(connection) or 0, "The database")


def _open(url: URL, *, writes: bool = False) -> "AbstractContextManager[SqliteRows | PostgresqlRows]":
    if databases.kind_of(url) is Kind.SQLITE:
        return sqlite_rows.open_rows(databases.sqlite_path(url), writes=writes)
    return postgresql_rows.open_rows(url, writes=writes)


class _Copy:
    """A copy from one database to another, in one transaction of each."""

    def __init__(self, source: Rows, target: Rows, copied: Copied, progress: Progress) -> None:
        self._source, self._target, self._copied, self._progress = source, target, copied, progress
        self._tables = _require_same_tables(source, target)
        self._done = 0
        self._total = sum(map(source.count, self._tables))

    def run(self) -> None:
        for table in reversed(self._tables):
            self._target.delete(table)  # rows that migrations or an unused server have written
        found = {table: self._copy(table) for table in self._tables}
        self._target.set_sequences()
        self._done = 0
        for table, expected in found.items():
            if self._read_again(table) != expected:
                raise Conflict(MSG_DIFFERENT.format(table))
        rows = {table: fingerprint.rows for table, fingerprint in found.items()}
        self._copied.contents = Contents(migrations.newest(), rows, self._target.count_waiting(), rows[EMAILS])

    def _copy(self, table: str) -> Fingerprint:
        columns, fingerprint = self._tables[table], Fingerprint()
        rows = self._count("Copying rows", self._replace_nul(columns, self._source.read(table, columns)))
        try:
            self._target.write(table, columns, fingerprint.pass_on(rows))
        except (psycopg.DataError, psycopg.IntegrityError, sqlite3.IntegrityError) as error:
            raise Conflict(MSG_REFUSED.format(table, type(error).__name__)) from None
        return fingerprint

    def _read_again(self, table: str) -> Fingerprint:
        columns, fingerprint = self._tables[table], Fingerprint()
        for _ in self._count("Comparing rows", fingerprint.pass_on(self._target.read(table, columns))):
            pass
        return fingerprint

    def _replace_nul(self, columns: dict[str, Type], rows: Iterator[Row]) -> Iterator[Row]:
        if self._copied.target is not Kind.POSTGRESQL:
            return rows
        return convert_rows(rows, [self._without_nul if kind is Type.TEXT else None for kind in columns.values()])

    def _without_nul(self, text: str) -> str:
        if "\0" not in text:
            return text
        self._copied.replaced_texts += 1
        return text.replace("\0", REPLACEMENT)

    def _count(self, phase: str, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self._done += 1
            if self._done % PROGRESS_ROWS == 0 or self._done == self._total:
                self._progress(phase, self._done, self._total)
            yield row


def _require_same_tables(source: Rows, target: Rows) -> Tables:
    """Return the tables in an order in which rows can be inserted. Raises Conflict if the databases differ."""
    old, new = source.tables(), target.tables()
    order = [table.name for table in db.metadata.sorted_tables]
    engine = sorted(old.keys() - OWN_TABLES - set(order), key=lambda name: (name != "workflow_status", name))
    names = [name for name in (*order, *engine) if name in old and (name in new or source.count(name))]
    missing = [name for name in order if name not in old]
    different = [name for name in names if old[name].keys() != new.get(name, {}).keys()] + missing
    if different:
        raise Conflict(MSG_OTHER_TABLES.format(", ".join(different)))
    return {name: _merge(old[name], new[name]) for name in names}


def _merge(old: dict[str, Type], new: dict[str, Type]) -> dict[str, Type]:
    """Return the types of columns. Only one of the databases knows JSON and booleans that the other has as text."""
    return {name: new[name] if kind is Type.TEXT else kind for name, kind in old.items()}
