"""A backup is restored completely into an empty database, or not at all."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from glific_gpt.database import migrations
from glific_gpt.database.engines import parse_url
from glific_gpt.operations.backups import backing_up, databases, restoring
from tests.conftest import StartServer
from tests.operations.backups.conftest import (
    BackUpFile,
    NewDatabase,
    Restore,
    ignore,
    is_without_tables,
    read_tables,
    run_sql,
)
from tests.support import databases as test_databases
from tests.support.call_records import create_call
from tests.support.deferred import find_call, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.mail_server import MailServer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def test_the_restored_database_has_the_same_rows_and_gives_new_ids(
    waiting: str,
    alice: TestOrganization,
    database_url: str,
    backup: BackUpFile,
    restore: Restore,
    target: str,
    start_server: StartServer,
) -> None:
    restored = restore(backup())
    assert (restored.revision, restored.source.contents.revision) == (migrations.newest(), migrations.newest())
    assert read_tables(target) == read_tables(database_url)
    restored_alice = TestOrganization(start_server(database_url=target), "alice", alice.token, alice.key)
    create_call(restored_alice)
    assert len(restored_alice.calls()) == 3


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
    backup: BackUpFile,
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
    backup: BackUpFile,
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


def test_an_empty_database_that_was_migrated_is_replaced(
    alice: TestOrganization, database_url: str, backup: BackUpFile, restore: Restore, target: str
) -> None:
    test_databases.migrate(target)
    restore(backup())
    assert read_tables(target) == read_tables(database_url)


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


def test_a_restore_that_fails_leaves_an_empty_database(
    waiting: str, backup: BackUpFile, restore: Restore, target: str, monkeypatch: pytest.MonkeyPatch
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
    alice: TestOrganization, backup: BackUpFile, restore: Restore, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = backup()
    with monkeypatch.context() as patch:  # a killed process does nothing after the restore
        patch.setattr(restoring, "_complete", fail)
        patch.setattr(databases, "delete_tables", lambda _url: None)
        with pytest.raises(KeyboardInterrupt):
            restore(file)
    tables = read_tables(target)
    assert (len(tables["organizations"]), tables["alembic_version"]) == (1, [])
    with alice.server.app.app_context():
        databases.delete_rest_of_restore(parse_url(target))
    assert is_without_tables(target)
    restore(file)
    assert len(read_tables(target)["alembic_version"]) == 1


def fail(*_arguments: object, **_options: object) -> None:
    raise KeyboardInterrupt
