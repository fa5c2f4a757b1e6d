"""Back the database up into one verified file, while servers use it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL

from glific_gpt.errors import Conflict
from glific_gpt.operations.backups import databases, postgresql_dumps, postgresql_programs, sqlite_files
from glific_gpt.operations.backups.contents import Contents, Kind, Progress
from glific_gpt.operations.backups.private_files import move_into_place, partial_file

MSG_NO_DATABASE = "There is nothing to back up: the database has no tables."
MSG_EXISTS = "{} exists already. Choose another name, or replace it with --force."
MSG_OWN_FILE = "This is the file of the database itself. Choose another name."


@dataclass(frozen=True)
class Backup:
    """A backup that was written and read again."""

    kind: Kind
    contents: Contents
    size: int
    """In bytes."""
    seconds: float


@databases.driver_errors()
def back_up(url: URL, file: Path, progress: Progress, *, replaces: bool = False) -> Backup:
    """Write a backup, read it completely, and move it into place. Servers can write meanwhile.

    Raises Conflict if the file exists already and is not to be replaced, if there is no database, or if pg_dump fails;
    InvalidValue if the file cannot be written; SettingsError if pg_dump is missing or too old.
    """
    begun = time.monotonic()
    kind = databases.kind_of(url)
    _require_target(url, file, replaces=replaces)
    with partial_file(file) as partial:
        contents = (_back_up_sqlite if kind is Kind.SQLITE else _back_up_postgresql)(url, partial, progress)
        _require_target(url, file, replaces=replaces)
        move_into_place(partial, file)
    return Backup(kind, contents, file.stat().st_size, time.monotonic() - begun)


def _require_target(url: URL, file: Path, *, replaces: bool) -> None:
    if not os.path.lexists(file):
        return
    if databases.kind_of(url) is Kind.SQLITE and _is_same(file, databases.sqlite_path(url)):
        raise Conflict(MSG_OWN_FILE)
    if not (replaces and file.is_file()):
        raise Conflict(MSG_EXISTS.format(file))


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _back_up_sqlite(url: URL, partial: Path, progress: Progress) -> Contents:
    path = databases.sqlite_path(url)
    if not path.exists() or not path.stat().st_size:
        raise Conflict(MSG_NO_DATABASE)
    sqlite_files.copy_file(path, partial, progress)
    return sqlite_files.read_contents(partial)


def _back_up_postgresql(url: URL, partial: Path, progress: Progress) -> Contents:
    with databases.connect(url) as connection:
        if databases.find_revision(connection) is None:
            raise Conflict(MSG_NO_DATABASE)
        own_schema = str(connection.scalar(sa.text("SELECT current_schema()")))
        info = connection.connection.dbapi_connection.info  # type: ignore[union-attr]  # a connection of psycopg
        for program in (postgresql_dumps.DUMP, postgresql_dumps.RESTORE):
            postgresql_programs.require_program(program, info.server_version // 10_000)
    postgresql_dumps.dump(url, own_schema, partial, progress)
    return postgresql_dumps.read_contents(partial)
