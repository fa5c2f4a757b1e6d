"""Backups and databases that cannot be used are refused with a sentence, and nothing changes."""

import shutil
from pathlib import Path

import pytest

from glific_gpt.database import migrations
from glific_gpt.errors import Conflict, InvalidValue
from tests.conftest import StartServer
from tests.operations.backups.conftest import (
    OTHER_KIND,
    BackUpFile,
    NewDatabase,
    Restore,
    is_without_tables,
    open_server,
    read_tables,
    run_sql,
)
from tests.support import databases as test_databases
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def test_a_database_with_an_organization_is_refused(
    alice: TestOrganization, database_url: str, backup: BackUpFile, restore: Restore
) -> None:
    file = backup()
    before = read_tables(database_url)
    with pytest.raises(Conflict, match=r"The database is not empty: the table .* has rows"):
        restore(file, database_url)
    assert read_tables(database_url) == before


def test_a_database_with_rows_of_another_program_is_refused(backup: BackUpFile, restore: Restore, target: str) -> None:
    run_sql(target, "CREATE TABLE theirs (id INTEGER)", "INSERT INTO theirs VALUES (1)")
    with pytest.raises(Conflict, match="the table theirs has rows"):
        restore(backup())


def test_a_database_that_a_worker_uses_is_refused(
    backup: BackUpFile, restore: Restore, target: str, start_server: StartServer
) -> None:
    file = backup()
    test_databases.migrate(target)
    open_server(start_server, target)
    with pytest.raises(Conflict, match=r"in use by a server or worker\. Stop it first\."):
        restore(file)


def test_a_newer_backup_is_refused(
    alice: TestOrganization, database_url: str, backup: BackUpFile, restore: Restore
) -> None:
    run_sql(database_url, "UPDATE alembic_version SET version_num = '9999'")
    try:
        file = backup()
    finally:
        run_sql(database_url, f"UPDATE alembic_version SET version_num = '{migrations.newest():04}'")  # noqa: S608
    with pytest.raises(InvalidValue, match=r"The backup is of a newer release \(migration 9999"):
        restore(file)


def test_a_truncated_backup_is_refused(waiting: str, backup: BackUpFile, restore: Restore, target: str) -> None:
    file = backup()
    for size in (file.stat().st_size - 1000, file.stat().st_size // 2, 40):
        with file.open("rb+") as opened:
            opened.truncate(size)
        with pytest.raises(InvalidValue, match=r"incomplete or damaged|not a backup"):
            restore(file)
    assert is_without_tables(target)


def test_other_files_are_refused(server: RunningServer, restore: Restore, target: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    with pytest.raises(InvalidValue, match="cannot be read: No such file"):
        restore(file)
    file.write_text("DROP TABLE organizations")
    with pytest.raises(InvalidValue, match="not a backup of this server"):
        restore(file)


@on_sqlite
def test_a_database_of_another_program_is_refused(restore: Restore, tmp_path: Path) -> None:
    run_sql(f"sqlite:///{tmp_path}/other", "CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(InvalidValue, match="not a backup of this server"):
        restore(tmp_path / "other")


@on_sqlite
def test_a_copied_file_with_a_log_beside_it_is_refused(
    alice: TestOrganization, database_url: str, restore: Restore, tmp_path: Path
) -> None:
    original = database_url.removeprefix("sqlite:///")
    for suffix in ("", "-wal"):
        shutil.copy(f"{original}{suffix}", f"{tmp_path}/copied{suffix}")
    with pytest.raises(InvalidValue, match=r"a part of it is in the file copied-wal"):
        restore(tmp_path / "copied")


def test_a_backup_of_the_other_kind_is_refused(
    backup: BackUpFile, new_database: NewDatabase, kind: str, restore: Restore
) -> None:
    with pytest.raises(InvalidValue, match="flask database copy --to URL"):
        restore(backup(), new_database(OTHER_KIND[kind]))
