"""Sessions: the time-outs of their statements, and reports that cannot write."""

import sqlite3
from contextlib import ExitStack
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from glific_gpt.database import (
    fetch_one,
    insert_if_absent,
    lock_rows,
    reading,
    retry_until_available,
    transaction,
)
from glific_gpt.database import session as session_module
from glific_gpt.database.base import db
from glific_gpt.database.compiled import raw_connection
from glific_gpt.database.session import EVENT_LOOP, READERS
from glific_gpt.database.timeouts import set_timeouts
from glific_gpt.organizations.tables import MonthlySpend, Organization
from glific_gpt.runtime import bridge
from tests.support.event_loop import server_loop
from tests.support.server import RunningServer

SETTINGS = sa.text("SELECT setting FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout')")


def milliseconds(session: Session) -> set[int]:
    """Return the time-outs of the current transaction, and of the socket to PostgreSQL without its margin."""
    if session.get_bind().dialect.name == "sqlite":
        return {int(session.scalar(sa.text("PRAGMA busy_timeout")) or 0)}
    socket_timeout = session.connection().connection.driver_connection.socket_timeout  # type: ignore[union-attr]
    return {round(socket_timeout * 1000) - 100, *map(int, session.scalars(SETTINGS))}


def test_every_transaction_has_its_own_time_outs(server: RunningServer) -> None:
    with server.app.app_context():
        for seconds in (0.2, 5.0, 0.3):
            with transaction(seconds) as session:
                assert milliseconds(session) == {seconds * 1000}
        with transaction() as session:
            assert milliseconds(session) == {1000}
        with reading() as session:
            assert milliseconds(session) == {5000}


def test_a_report_cannot_write(server: RunningServer) -> None:
    server.add_organization("alice")
    with server.app.app_context():
        with reading() as session, pytest.raises(DBAPIError, match=r"(?i)read.?only"):
            session.execute(sa.update(Organization).values(name="Changed"))
        with transaction() as session:  # a setting of the report must not stay in a connection of the pool
            session.execute(sa.update(Organization).values(name="Changed"))


def test_reports_take_no_connection_from_calls(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with server.app.app_context(), ExitStack() as stack:
        monkeypatch.setattr(db.engines[READERS].pool, "_timeout", 0.1)
        for _ in range(2):
            stack.enter_context(reading())
        assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        with pytest.raises(exc.TimeoutError):
            stack.enter_context(reading())
        with transaction() as session:
            assert session.scalar(sa.text("SELECT 1")) == 1


def test_background_work_is_repeated_until_the_database_answers(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(session_module, "LONGEST_DELAY_SECONDS", 0.004)
    failures = [exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError]

    def work(_session: Session) -> str:
        if failures:
            raise failures.pop()("", {}, Exception())
        return "done"

    with server.app.app_context(), mock.patch("glific_gpt.database.session.time.sleep") as sleep:
        assert retry_until_available(work) == "done"
    assert [call.args[0] for call in sleep.call_args_list] == [0.001, 0.002, 0.004, 0.004]


def test_background_work_that_can_never_succeed_is_not_repeated(server: RunningServer) -> None:
    def work(_session: Session) -> None:
        raise exc.IntegrityError("", {}, Exception())

    with server.app.app_context(), pytest.raises(exc.IntegrityError):
        retry_until_available(work)


def change_name(database_url: str, name: str) -> None:
    """Change the organization on a connection of its own, which does not wait for locks."""
    is_sqlite = database_url.startswith("sqlite")
    options = {"timeout": 0.1} if is_sqlite else {"options": "-c lock_timeout=100ms"}
    engine = sa.create_engine(database_url, connect_args=options)
    try:
        with engine.begin() as connection:
            connection.execute(sa.update(Organization).values(name=name))
    finally:
        engine.dispose()


def test_locked_rows_are_read_again_and_cannot_be_changed(server: RunningServer, database_url: str) -> None:
    server.add_organization("alice")
    query = sa.select(Organization).order_by(Organization.id)
    with server.app.app_context(), transaction() as session:
        assert session.scalars(query).one().slug == "alice"
        change_name(database_url, "Changed")
        (locked,) = lock_rows(session, query)
        assert locked.name == "Changed"
        with pytest.raises(exc.OperationalError):
            change_name(database_url, "Changed again")


def test_a_row_that_exists_is_not_inserted(server: RunningServer) -> None:
    server.add_organization("alice")
    with server.app.app_context(), transaction() as session:
        organization_id = session.scalars(sa.select(Organization.id)).one()
        row = {"organization_id": organization_id, "month": "2026-01", "usd": Decimal(1)}
        assert [insert_if_absent(session, MonthlySpend(**row)) for _ in range(2)] == [True, False]


def test_a_row_of_an_unknown_organization_is_refused(server: RunningServer) -> None:
    with server.app.app_context(), pytest.raises(exc.IntegrityError), transaction() as session:
        session.add(MonthlySpend(organization_id=999, month="2026-01", usd=Decimal(1)))


def test_an_error_does_not_contain_values(server: RunningServer) -> None:
    with server.app.app_context(), transaction() as session:
        with pytest.raises(DBAPIError) as caught:
            session.execute(sa.text("SELECT * FROM missing WHERE name = :name"), {"name": "hidden-value"})
        session.rollback()
        set_timeouts(session.connection().connection, 1.0)
    assert "hidden-value" not in str(caught.value)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lookup_has_a_time_out(server: RunningServer) -> None:
    with server.app.app_context(), raw_connection(db.engines[EVENT_LOOP]) as connection:
        assert connection.driver_connection.socket_timeout == 1.1  # type: ignore[union-attr]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_lookup_on_the_loop_is_repeated_in_a_thread_after_an_error(server: RunningServer) -> None:
    server.add_organization("alice")
    query = sa.select(Organization.slug)

    def break_and_fetch() -> object:
        with server.app.app_context():
            before = fetch_one(query)
            with raw_connection(db.engines[EVENT_LOOP], keep=True) as connection:
                connection.driver_connection.close()  # type: ignore[union-attr]
            return before, fetch_one(query)

    with server_loop() as loop:
        assert loop.run_until_complete(bridge.run(break_and_fetch)) == ({"slug": "alice"}, {"slug": "alice"})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_connection_of_the_loop_is_closed_with_all_others(server: RunningServer) -> None:
    with server.app.app_context():
        with raw_connection(db.engines[EVENT_LOOP], keep=True) as connection:
            raw: Any = connection.driver_connection
            raw.execute("SELECT 1")
        db.engine.dispose()
        with pytest.raises(sqlite3.ProgrammingError):
            raw.execute("SELECT 1")
