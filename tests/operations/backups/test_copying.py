"""A copy to another kind of database holds the same rows, and is compared with them."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from glific_gpt.database import db, transaction
from glific_gpt.database.engines import parse_url
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.operations.backups import copying
from glific_gpt.operations.backups.contents import Progress
from glific_gpt.operations.backups.copying import Copied
from tests.conftest import StartServer
from tests.operations.backups.conftest import OTHER_KIND, NewDatabase, ignore, open_server, read_tables, run_sql
from tests.rules.test_migrations import fill
from tests.support.call_records import create_call
from tests.support.deferred import wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("numbered_organizations")]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def other(new_database: NewDatabase, kind: str) -> str:
    """URL of an empty database of the other kind."""
    return new_database(OTHER_KIND[kind])


def copy(server: RunningServer, source: str, target: str, progress: Progress = ignore) -> Copied:
    with server.app.app_context():
        return copying.copy(parse_url(source), parse_url(target), progress)


def read_values(url: str) -> dict[str, list[Any]]:
    """Return the rows of our tables with the types of the product."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for table in db.metadata.sorted_tables
        }


def fill_all_tables(url: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    fill(engine)
    engine.dispose()


def test_a_copy_to_the_other_kind_and_back_has_the_same_rows(
    waiting: str, server: RunningServer, database_url: str, other: str, new_database: NewDatabase, kind: str
) -> None:
    fill_all_tables(database_url)
    back = new_database(kind)
    copied = copy(server, database_url, other)
    copy(server, other, back)
    original, values = read_tables(database_url), read_values(database_url)
    assert all(values.values())
    assert read_values(other) == values
    assert read_tables(back) == original
    rows = copied.contents.rows
    assert rows == {name: len(original[name]) for name in rows}
    assert {"alembic_version", "dbos_migrations", "event_dispatch_kv"} >= original.keys() - rows.keys()
    assert (copied.contents.waiting_answers, copied.contents.waiting_emails) == (1, 1)


def test_the_copy_gives_new_ids_and_delivers_waiting_answers(
    waiting: str,
    alice: TestOrganization,
    database_url: str,
    other: str,
    start_server: StartServer,
    glific: GlificStandIn,
) -> None:
    copy(alice.server, database_url, other)
    server = open_server(start_server, other)
    copied = TestOrganization(server, "alice", alice.token, alice.key)
    assert copied.wait_for_delivery(waiting).state == "delivered"
    wait_until(lambda: not server.services.engine.has_unfinished("call_"))
    assert len(glific.resumptions) == 1
    create_call(copied)
    server.add_organization("bob")
    assert len(copied.calls()) == 3


def test_changes_after_the_beginning_are_not_copied(
    alice: TestOrganization, server: RunningServer, database_url: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PROGRESS_ROWS", 1)
    create_call(alice)
    phases: list[str] = []

    def write(phase: str, _done: int, _total: int) -> None:
        phases.append(phase)
        with server.app.app_context(), transaction() as session:
            session.execute(sa.text("UPDATE calls SET function = 'late'"))

    copied = copy(server, database_url, other, write)
    assert "parse_via_chat_gpt" in read_values(other)["calls"][0]
    total = sum(copied.contents.rows.values())
    assert [phases.count(phase) for phase in ("Copying rows", "Comparing rows")] == [total, total]


def test_a_database_that_is_not_empty_is_refused(
    alice: TestOrganization, server: RunningServer, database_url: str, other: str
) -> None:
    copy(server, database_url, other)
    before = read_tables(other)
    with pytest.raises(Conflict, match="The database of --to is not empty"):
        copy(server, database_url, other)
    assert read_tables(other) == before


def test_a_database_is_not_copied_to_itself(server: RunningServer, database_url: str) -> None:
    with pytest.raises(InvalidValue, match="--to names the database of GLIFIC_GPT_DATABASE_URL"):
        copy(server, database_url, database_url)


def test_a_database_in_use_is_copied_but_not_written_to(
    start_server: StartServer, database_url: str, other: str
) -> None:
    server = open_server(start_server, database_url)
    assert copy(server, database_url, other).source_in_use
    with pytest.raises(Conflict, match="The database of --to is in use"):
        copy(server, other, database_url)


@on_sqlite
def test_a_value_that_postgresql_refuses_stops_the_copy_and_leaves_an_empty_database(
    alice: TestOrganization, server: RunningServer, database_url: str, other: str
) -> None:
    create_call(alice, model_asked="m" * 201)
    with pytest.raises(Conflict, match=r"refuses a row of the table calls \(StringDataRightTruncation\)"):
        copy(server, database_url, other)
    assert not any(rows for name, rows in read_values(other).items() if name != "key_check")
    run_sql(database_url, "UPDATE calls SET model_asked = 'gpt-4o'")
    assert copy(server, database_url, other).contents.rows["calls"] == 1


@on_sqlite
def test_the_character_nul_is_replaced_for_postgresql(
    alice: TestOrganization, server: RunningServer, database_url: str, other: str
) -> None:
    create_call(alice, model_asked="a\0b\0")
    assert copy(server, database_url, other).replaced_texts == 1
    assert "a\ufffdb\ufffd" in read_values(other)["calls"][0]


def test_a_difference_is_noticed_and_nothing_is_stored(
    alice: TestOrganization, server: RunningServer, database_url: str, tmp_path: Path, new_database: NewDatabase
) -> None:
    """A trigger changes one character of one row."""
    target = new_database("sqlite")
    copy(server, database_url, target)
    run_sql(target, "PRAGMA foreign_keys = OFF", *deletions(), TRIGGER)
    with pytest.raises(Conflict, match="The table organizations differs after the copy"):
        copy(server, database_url, target)
    assert not any(rows for name, rows in read_values(target).items() if name != "key_check")


def deletions() -> list[str]:
    return [f"DELETE FROM {table.name}" for table in reversed(db.metadata.sorted_tables)]  # noqa: S608 - names


TRIGGER = """
CREATE TRIGGER change AFTER INSERT ON organizations
BEGIN UPDATE organizations SET name = 'Alicf' WHERE slug = NEW.slug; END
"""
