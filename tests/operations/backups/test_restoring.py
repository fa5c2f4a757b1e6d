"""A backup is restored completely into an empty database, or not at all."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from glific_gpt.database import migrations
from glific_gpt.database.engines import parse_url
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.operations.backups import backing_up, databases, restoring
from glific_gpt.operations.backups.restoring import Restored
from tests.conftest import StartServer
from tests.operations.backups.conftest import NewDatabase, ignore, open_server, read_tables
from tests.support import databases as test_databases
from tests.support.deferred import find_call, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.mail_server import MailServer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

OTHER_KIND = {"sqlite": "postgresql", "postgresql": "sqlite"}

Restore = Callable[..., Restored]


@pytest.fixture
def backup(server: RunningServer, database_url: str, tmp_path: Path) -> Callable[[], Path]:
    """Back the database of the test up, and return the file."""

    def run() -> Path:
        file = tmp_path / "a.backup"
        with server.app.app_context():
            backing_up.back_up(parse_url(database_url), file, ignore, replaces=True)
        return file

    return run


@pytest.fixture
def target(new_database: NewDatabase, kind: str) -> str:
    """URL of an empty database of the same kind."""
    return new_database(kind)


@pytest.fixture
def restore(server: RunningServer, target: str) -> Restore:
    def run(file: Path, url: str = target, *, drops_waiting: bool = False) -> Restored:
        with server.app.app_context():
            restoring.require_target(parse_url(url), file)
            source = restoring.read_backup(file)
            return restoring.restore(parse_url(url), source, ignore, drops_waiting=drops_waiting)

    return run


def test_the_restored_database_has_the_same_rows_and_gives_new_ids(
    waiting: str,
    database_url: str,
    backup: Callable[[], Path],
    restore: Restore,
    target: str,
    start_server: StartServer,
) -> None:
    restored = restore(backup())
    assert (restored.revision, restored.source.contents.revision) == (migrations.newest(), migrations.newest())
    assert read_tables(target) == read_tables(database_url)
    server = start_server(database_url=target)
    server.add_organization("bob")
    engine = sa.create_engine(target)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT max(id) FROM organizations")) == 2
    engine.dispose()


@dataclass
class Sent:
    """Everything that a restored server has sent."""

    openai: OpenAIStandIn
    glific: GlificStandIn
    mail_server: MailServer

    def counts(self) -> tuple[int, int, int]:
        return len(self.openai.requests), len(self.glific.resumptions), self.mail_server.messages.qsize()


@pytest.fixture
def sent(openai: OpenAIStandIn, glific: GlificStandIn, mail_server: MailServer) -> Sent:
    return Sent(openai, glific, mail_server)


def start_restored(start_server: StartServer, url: str, alice: TestOrganization, sent: Sent) -> TestOrganization:
    """Start a server with a worker on a restored database, and wait until it has no more work."""
    server = start_server(with_worker=True, database_url=url, mail_url=sent.mail_server.url, mail_from="us@example.org")
    wait_until(lambda: not server.services.engine.list_unfinished())
    return TestOrganization(server, "alice", alice.token, alice.key)


def test_waiting_answers_and_emails_go_out_once_after_the_start(
    waiting: str,
    alice: TestOrganization,
    backup: Callable[[], Path],
    restore: Restore,
    target: str,
    start_server: StartServer,
    sent: Sent,
) -> None:
    restore(backup())
    restored = start_restored(start_server, target, alice, sent)
    assert restored.delivery(waiting).state == "delivered"
    assert find_call(restored, waiting)["status"] == "ok"
    assert sent.counts() == (1, 1, 1)


def test_dropped_answers_are_interrupted_and_nothing_is_sent(
    waiting: str,
    alice: TestOrganization,
    backup: Callable[[], Path],
    restore: Restore,
    target: str,
    start_server: StartServer,
    sent: Sent,
) -> None:
    restore(backup(), drops_waiting=True)
    restored = start_restored(start_server, target, alice, sent)
    delivery = restored.delivery(waiting)
    assert (delivery.state, delivery.question, delivery.stored_bytes) == ("undelivered", None, 0)
    assert "restored from a backup" in (delivery.last_response or "")
    assert find_call(restored, waiting)["status"] == "interrupted"
    assert sent.counts() == (0, 0, 0)


def test_a_database_with_an_organization_is_refused(
    alice: TestOrganization, database_url: str, backup: Callable[[], Path], restore: Restore
) -> None:
    file = backup()
    before = read_tables(database_url)
    with pytest.raises(Conflict, match=r"The database is not empty: the table .* has rows"):
        restore(file, database_url)
    assert read_tables(database_url) == before


def test_a_database_with_rows_of_another_program_is_refused(
    backup: Callable[[], Path], restore: Restore, target: str
) -> None:
    run_sql(target, "CREATE TABLE theirs (id INTEGER)", "INSERT INTO theirs VALUES (1)")
    with pytest.raises(Conflict, match="the table theirs has rows"):
        restore(backup())


def test_an_empty_database_that_was_migrated_is_replaced(
    alice: TestOrganization, database_url: str, backup: Callable[[], Path], restore: Restore, target: str
) -> None:
    test_databases.migrate(target)
    restore(backup())
    assert read_tables(target) == read_tables(database_url)


def test_a_database_that_a_worker_uses_is_refused(
    backup: Callable[[], Path], restore: Restore, target: str, start_server: StartServer
) -> None:
    file = backup()
    test_databases.migrate(target)
    open_server(start_server, target)
    with pytest.raises(Conflict, match=r"in use by a server or worker\. Stop it first\."):
        restore(file)


def test_an_older_backup_gets_the_missing_migrations(
    server: RunningServer, new_database: NewDatabase, kind: str, restore: Restore, target: str, tmp_path: Path
) -> None:
    old = new_database(kind)
    test_databases.migrate(old, "0011")
    run_sql(old, ORGANIZATION)
    with server.app.app_context():
        backing_up.back_up(parse_url(old), tmp_path / "old", ignore)
    restored = restore(tmp_path / "old", drops_waiting=True)
    assert (restored.source.contents.revision, restored.revision) == (11, migrations.newest())
    tables = read_tables(target)
    assert tables["alembic_version"] == [(f"{migrations.newest():04}",)]
    assert (len(tables["organizations"]), len(tables["key_check"])) == (1, 1)


ORGANIZATION = """
INSERT INTO organizations (id, slug, name, is_active, require_signature, created_at)
VALUES (1, 'seva', 'Seva', true, false, '2026-01-01 00:00:00')
"""


def test_a_newer_backup_is_refused(
    alice: TestOrganization, database_url: str, backup: Callable[[], Path], restore: Restore
) -> None:
    run_sql(database_url, "UPDATE alembic_version SET version_num = '9999'")
    try:
        file = backup()
    finally:
        run_sql(database_url, f"UPDATE alembic_version SET version_num = '{migrations.newest():04}'")  # noqa: S608
    with pytest.raises(InvalidValue, match=r"The backup is of a newer release \(migration 9999"):
        restore(file)


def test_a_truncated_backup_is_refused(waiting: str, backup: Callable[[], Path], restore: Restore, target: str) -> None:
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
    backup: Callable[[], Path], new_database: NewDatabase, kind: str, restore: Restore
) -> None:
    with pytest.raises(InvalidValue, match="flask database copy --to URL"):
        restore(backup(), new_database(OTHER_KIND[kind]))


def test_a_restore_that_fails_leaves_an_empty_database(
    waiting: str, backup: Callable[[], Path], restore: Restore, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: object) -> None:
        raise KeyboardInterrupt

    file = backup()
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "end_waiting", fail)
        with pytest.raises(KeyboardInterrupt):
            restore(file, drops_waiting=True)
    assert is_without_tables(target)
    restore(file)


@on_postgresql
def test_no_server_starts_on_a_restore_that_was_killed_and_it_can_be_repeated(
    alice: TestOrganization, backup: Callable[[], Path], restore: Restore, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = backup()
    with monkeypatch.context() as patch:  # a killed process does nothing after the restore
        patch.setattr(restoring, "_complete", fail)
        patch.setattr(databases, "delete_tables", lambda _url: None)
        with pytest.raises(KeyboardInterrupt):
            restore(file)
    tables = read_tables(target)
    assert (len(tables["organizations"]), tables["alembic_version"]) == (1, [])
    restore(file)
    assert len(read_tables(target)["alembic_version"]) == 1


def fail(*_arguments: object, **_options: object) -> None:
    raise KeyboardInterrupt


def run_sql(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def is_without_tables(url: str) -> bool:
    """Return whether the database is still without tables, or without a file."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite") and not path.exists():
        return not list(path.parent.glob(f".{path.name}*"))
    return not read_tables(url)
