"""Restore a backup into an empty database."""

import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from glific_gpt.database import migrations, transaction
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.operations.backups import databases, postgresql_dumps, postgresql_programs, sqlite_files
from glific_gpt.operations.backups.contents import MSG_NOT_A_BACKUP, REVISIONS, Contents, Kind, Progress
from glific_gpt.operations.backups.private_files import SUFFIXES, move_into_place, partial_file
from glific_gpt.operations.backups.waiting import end_waiting

TIMEOUT_SECONDS = 3600.0
"""Time-out of the statement that ends all waiting answers."""

MSG_OTHER_KIND = (
    "This is a backup of a {0} database, and GLIFIC_GPT_DATABASE_URL names a {1} database. Restore it into an empty "
    "{0} database. Then 'flask database copy --to URL' copies that to {1}."
)
MSG_DIFFERENT = "The restored database has other numbers of rows than the backup. Nothing was restored."


@dataclass(frozen=True)
class Source:
    """A backup that was read completely."""

    file: Path
    kind: Kind
    contents: Contents


@dataclass(frozen=True)
class Restored:
    """A database that was restored."""

    source: Source
    drops_waiting: bool
    revision: int
    seconds: float


def read_backup(file: Path) -> Source:
    """Read a backup completely. Raises InvalidValue if it is damaged, of a newer release, or no backup."""
    kind = _find_kind(file)
    contents = (sqlite_files if kind is Kind.SQLITE else postgresql_dumps).read_contents(file)
    databases.require_known(contents.revision, "The backup")
    return Source(file, kind, contents)


@databases.driver_errors()
def require_target(url: URL, file: Path) -> None:
    """Check quickly whether a backup can be restored into the database.

    Raises Conflict, InvalidValue and SettingsError.
    """
    source, target = _find_kind(file), databases.kind_of(url)
    if source is not target:
        raise InvalidValue(MSG_OTHER_KIND.format(source.label, target.label))
    if target is Kind.POSTGRESQL:
        postgresql_programs.require_program(postgresql_dumps.RESTORE)
    databases.require_empty_and_unused(url)


def _find_kind(file: Path) -> Kind:
    try:
        with file.open("rb") as opened:
            beginning = opened.read(len(sqlite_files.MAGIC))
    except OSError as error:
        raise InvalidValue(f"The file cannot be read: {error.strerror}.") from None
    if beginning == sqlite_files.MAGIC:
        return Kind.SQLITE
    if beginning.startswith(postgresql_dumps.MAGIC):
        postgresql_programs.require_program(postgresql_dumps.RESTORE)
        return Kind.POSTGRESQL
    raise InvalidValue(MSG_NOT_A_BACKUP)


@databases.driver_errors()
def restore(url: URL, source: Source, progress: Progress, *, drops_waiting: bool) -> Restored:
    """Restore a backup, run missing migrations, and end waiting answers and e-mails if they are to be dropped.

    If it fails, the database is empty. Raises Conflict, InvalidValue and SQLAlchemyError.
    """
    begun = time.monotonic()
    do = _restore_sqlite if source.kind is Kind.SQLITE else _restore_postgresql
    do(url, source, progress, drops_waiting=drops_waiting)
    return Restored(source, drops_waiting, migrations.newest(), time.monotonic() - begun)


def _restore_sqlite(url: URL, source: Source, progress: Progress, *, drops_waiting: bool) -> None:
    path = databases.sqlite_path(url)
    with partial_file(path) as partial:
        sqlite_files.copy_file(source.file, partial, progress, mode=sqlite_files.ONLY_READ)
        if drops_waiting or source.contents.revision < migrations.newest():
            _complete(url.set(database=str(partial)), source.contents, drops_waiting=drops_waiting)
            sqlite_files.remove_log(partial)
        # The files of the empty database. SQLite would read its log as that of the new one.
        for suffix in SUFFIXES[1:]:
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        move_into_place(partial, path)


def _restore_postgresql(url: URL, source: Source, progress: Progress, *, drops_waiting: bool) -> None:
    databases.delete_tables(url)
    try:
        postgresql_dumps.restore(url, source.file, progress)
        _require_same_rows(url, source.contents)
        _complete(url, source.contents, drops_waiting=drops_waiting)
        databases.analyze(url)
    except BaseException:  # also when an administrator stops it
        databases.delete_tables(url)
        raise


def _require_same_rows(url: URL, contents: Contents) -> None:
    expected = {table: rows for table, rows in contents.rows.items() if table != REVISIONS}
    with databases.connect(url) as connection:
        found = databases.count_rows(connection, expected)
    if found != expected:
        raise Conflict(MSG_DIFFERENT)


def _complete(url: URL, contents: Contents, *, drops_waiting: bool) -> None:
    is_current = contents.revision == migrations.newest()
    with databases.using(url):
        if not is_current:
            with transaction() as session:
                _write_revision(session, contents)
            databases.upgrade()
        with transaction(TIMEOUT_SECONDS) as session:
            if drops_waiting:
                end_waiting(session)
            # Last, and with the end of the answers: before it, no server starts on the database.
            if is_current:
                _write_revision(session, contents)


def _write_revision(session: Session, contents: Contents) -> None:
    """Write the revision of the backup, unless the database has one already, as on SQLite."""
    session.execute(
        text("INSERT INTO alembic_version SELECT :revision WHERE NOT EXISTS (SELECT 1 FROM alembic_version)"),
        {"revision": f"{contents.revision:04}"},
    )
