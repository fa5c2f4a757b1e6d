"""A backup is one complete moment of the database, and servers work meanwhile."""

import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.seeding import seed_calls
from glific_gpt.database import transaction
from glific_gpt.database.engines import parse_url
from glific_gpt.errors import Conflict, InvalidValue, SettingsError
from glific_gpt.operations.backups import backing_up, postgresql_programs, restoring, sqlite_files
from glific_gpt.operations.backups.backing_up import Backup
from glific_gpt.operations.backups.contents import Progress
from tests.operations.backups.conftest import NewDatabase, ignore
from tests.support import databases
from tests.support.server import RunningServer, TestOrganization

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("numbered_organizations")]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

BackUp = Callable[..., Backup]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "today.backup"


@pytest.fixture
def back_up(server: RunningServer, database_url: str, target: Path) -> BackUp:
    def run(file: Path = target, progress: Progress = ignore, *, replaces: bool = False) -> Backup:
        with server.app.app_context():
            return backing_up.back_up(parse_url(database_url), file, progress, replaces=replaces)

    return run


def test_a_backup_holds_every_row_and_is_readable_by_its_owner_alone(
    waiting: str, back_up: BackUp, target: Path
) -> None:
    backup = back_up()
    rows = backup.contents.rows
    assert (rows["organizations"], rows["calls"], rows["deliveries"], rows["workflow_status"]) == (1, 2, 1, 2)
    assert (backup.contents.waiting_answers, backup.contents.waiting_emails) == (1, 1)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert backup.size == target.stat().st_size > 0
    assert restoring.read_backup(target).contents == backup.contents


@on_sqlite
def test_a_write_during_the_backup_neither_waits_nor_is_in_it(
    server: RunningServer, alice: TestOrganization, database_url: str, back_up: BackUp
) -> None:
    seed_calls(database_url, 1, 20_000)
    steps: list[int] = []

    def write(_phase: str, done: int, _total: int) -> None:
        steps.append(done)
        with server.app.app_context(), transaction() as session:
            session.execute(sa.text("UPDATE calls SET function = 'late'"))

    backup = back_up(progress=write)
    assert len(steps) > 1
    assert steps == sorted(set(steps))
    assert backup.contents.rows["calls"] == 20_000


@on_sqlite
def test_the_backup_is_the_moment_of_its_beginning(
    server: RunningServer, alice: TestOrganization, database_url: str, back_up: BackUp, target: Path
) -> None:
    seed_calls(database_url, 1, 20_000)

    def write(_phase: str, _done: int, _total: int) -> None:
        with server.app.app_context(), transaction() as session:
            session.execute(sa.text("UPDATE calls SET function = 'late'"))

    back_up(progress=write)
    with sqlite3.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM calls WHERE function = 'late'").fetchone() == (0,)
    connection.close()


def test_an_existing_file_is_replaced_only_on_request(back_up: BackUp, target: Path) -> None:
    target.write_text("an older one")
    with pytest.raises(Conflict, match="exists already"):
        back_up()
    assert target.read_text() == "an older one"
    back_up(replaces=True)
    assert restoring.read_backup(target)


@on_sqlite
def test_the_database_itself_is_never_replaced(back_up: BackUp, database_url: str) -> None:
    with pytest.raises(Conflict, match="the file of the database itself"):
        back_up(Path(database_url.removeprefix("sqlite:///")), replaces=True)


def test_a_folder_that_is_missing_is_named(back_up: BackUp, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"No file can be written in .*/missing: No such file or directory\."):
        back_up(tmp_path / "missing" / "file")


def test_an_empty_database_has_no_backup(
    server: RunningServer, new_database: NewDatabase, kind: str, target: Path
) -> None:
    url = parse_url(new_database(kind))
    with server.app.app_context(), pytest.raises(Conflict, match="nothing to back up"):
        backing_up.back_up(url, target, ignore)
    assert not list(target.parent.iterdir())


def test_a_database_can_be_backed_up_before_its_upgrade(back_up: BackUp, database_url: str) -> None:
    with databases.behind_on_migrations(database_url):
        assert back_up().contents.revision == 0


def test_a_failure_leaves_no_file(back_up: BackUp, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("glific_gpt.operations.backups.private_files._sync", fail)
    with pytest.raises(KeyboardInterrupt):
        back_up()
    assert not list(target.parent.iterdir())


@on_sqlite
def test_a_backup_is_one_file_without_a_log(back_up: BackUp, target: Path) -> None:
    back_up()
    with sqlite_files.connect(target, sqlite_files.ONLY_READ) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def write_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o700)


@on_postgresql
def test_a_missing_pg_dump_is_named(back_up: BackUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=r"pg_dump is not installed\. Install PostgreSQL's client programs"):
        back_up()


@on_postgresql
def test_a_pg_dump_that_is_older_than_the_server_is_refused(
    back_up: BackUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tmp_path / "bin", "pg_dump", 'print("pg_dump (PostgreSQL) 9.6.24")')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    with pytest.raises(
        SettingsError, match=r"pg_dump has version 9, which is older than the PostgreSQL server \(\d+\)"
    ):
        back_up()


@on_postgresql
def test_a_failing_pg_dump_is_reported_in_one_line(
    back_up: BackUp, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'import sys\nif "--version" in sys.argv: sys.exit(print("pg_dump 99"))\n'
    script += 'sys.exit("pg_dump: error: no disk\\npg_dump: detail: a row")'
    write_program(tmp_path / "bin", "pg_dump", script)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    with pytest.raises(Conflict) as error:
        back_up()
    assert str(error.value) == "pg_dump has failed (pg_dump: error: no disk). No backup was written."
    assert not list(target.parent.iterdir())


RECORD = """
import os, pathlib
folder = pathlib.Path(__file__).parent
command = pathlib.Path("/proc/self/cmdline").read_bytes() + pathlib.Path("/proc/self/environ").read_bytes()
(folder / "seen").write_bytes(command)
(folder / "service").write_text(open(os.environ["PGSERVICEFILE"]).read())
"""


@on_postgresql
def test_a_program_gets_the_password_neither_by_its_arguments_nor_by_its_environment(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tmp_path / "bin", "pg_dump", RECORD)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("GLIFIC_GPT_DATABASE_URL", "postgresql+psycopg://someone:a-secret@127.0.0.1/name")
    url = parse_url(database_url).set(password="a-secret")
    with postgresql_programs.running(["pg_dump", postgresql_programs.CONNECTION], url) as run:
        assert run.process.wait() == 0, run.find_reason()
    assert b"a-secret" not in (tmp_path / "bin" / "seen").read_bytes()
    service = (tmp_path / "bin" / "service").read_text()
    assert "password=a-secret\n" in service
    assert f"dbname={url.database}\n" in service
