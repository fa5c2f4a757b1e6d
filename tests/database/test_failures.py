"""Each failure of the database has its own sentence and event."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from glific_gpt.database import failures, report_locks
from tests.support import databases
from tests.support.programs import free_port

SECRET = "made-up-password"


def failure_of(work: Callable[[], object]) -> failures.DatabaseFailure:
    with pytest.raises(SQLAlchemyError) as caught:
        work()
    failure = failures.describe(caught.value)
    assert SECRET not in failure.message
    return failure


def connect(url: sa.URL) -> Callable[[], object]:
    return lambda: sa.create_engine(url, connect_args={"connect_timeout": 2}).connect()


@pytest.fixture
def server() -> sa.URL:
    databases.require_postgresql()
    return sa.make_url(databases.POSTGRESQL)


def test_failed_connections_to_postgresql_are_told_apart(server: sa.URL) -> None:
    others = {
        "database_connection_refused": server.set(host="127.0.0.1", port=free_port()),
        "database_host_unknown": server.set(host="no-such-host.invalid"),
        "database_missing": server.set(database="no_such_database"),
        "database_login_refused": server.set(username="no_such_role", password=SECRET),
    }
    assert {event: failure_of(connect(url)).event for event, url in others.items()} == {
        event: event for event in others
    }


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ('FATAL:  password authentication failed for user "x"', "database_login_refused"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', "database_login_refused"),
        ("FATAL:  sorry, too many clients already", "database_connections_used_up"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "database_connections_used_up",
        ),
        ('FATAL:  too many connections for role "x"', "database_connections_used_up"),
        ("FATAL:  the database system is starting up", "database_starting_or_stopping"),
        ("connection timeout expired", "database_silent"),
        ('connection to server on socket "/run/x" failed: No such file or directory', "database_connection_refused"),
        ("server closed the connection unexpectedly", "database_connection_lost"),
        ("something else", "database_failed"),
    ],
)
def test_a_connection_that_postgresql_refuses_is_recognized_by_its_text(text: str, event: str) -> None:
    error = sa.exc.OperationalError("SELECT 1", {}, Exception(f'connection to server at "x" failed: {text}'))
    assert failures.describe(error).event == event


@pytest.mark.parametrize(
    ("sqlstate", "event"),
    [
        ("25006", "database_read_only"),
        ("53100", "database_disk_full"),
        ("53300", "database_connections_used_up"),
        ("55P03", "database_lock_timeout"),
        ("57014", "database_statement_timeout"),
        ("57P01", "database_starting_or_stopping"),
        ("42501", "database_permission_denied"),
        ("42P01", "database_migrations_missing"),
        ("28P01", "database_login_refused"),
        ("XX000", "database_failed"),
    ],
)
def test_an_error_of_postgresql_is_recognized_by_its_sqlstate(server: sa.URL, sqlstate: str, event: str) -> None:
    engine = sa.create_engine(server)
    block = f"DO $$ BEGIN RAISE EXCEPTION '{SECRET}' USING ERRCODE = '{sqlstate}'; END $$"
    with engine.connect() as connection:
        assert failure_of(lambda: connection.exec_driver_sql(block)).event == event
    engine.dispose()


def sqlite(path: Path, *statements: str, **options: Any) -> Callable[[], object]:
    def run() -> None:
        engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 0.01}, **options)
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    return run


def test_failures_of_sqlite_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close()
    (tmp_path / "text.db").write_text("This is not a database, and long enough to be read as one." * 10)
    fill = "INSERT INTO t SELECT randomblob(1000000)"
    locking = sqlite3.connect(path, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    assert failure_of(sqlite(path, "INSERT INTO t VALUES (1)")).event == "database_lock_timeout"
    locking.close()
    assert failure_of(sqlite(path, "PRAGMA query_only = ON", fill)).event == "database_read_only"
    assert failure_of(sqlite(path, "PRAGMA max_page_count = 2", fill)).event == "database_disk_full"
    assert failure_of(sqlite(tmp_path / "text.db", "SELECT * FROM t")).event == "database_file_unusable"
    assert failure_of(sqlite(tmp_path / "none" / "x.db", "SELECT 1")).event == "database_file_unusable"
    assert failure_of(sqlite(path, "SELECT * FROM missing")).event == "database_migrations_missing"


def test_a_pool_without_a_free_connection_is_told_apart(tmp_path: Path) -> None:
    engine = sa.create_engine(
        f"sqlite:///{tmp_path}/x.db", poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    with engine.connect():
        assert failure_of(engine.connect).event == "database_pool_used_up"


def test_reports_of_an_organization_that_wait_for_each_other_are_no_failure_of_the_database() -> None:
    with (
        report_locks.hold_report_lock(1, 0.01),
        pytest.raises(failures.ReportTimeout) as raised,
        report_locks.hold_report_lock(1, 0),
    ):
        pass
    assert failures.describe(raised.value).event == "database_reports_waited"


def test_the_log_has_one_line_a_second_for_each_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "_last_logged", {})
    refused = sa.exc.OperationalError("", {}, Exception("connection refused"))
    silent = sa.exc.OperationalError("", {}, Exception("connection timeout expired"))
    with capture_logs() as lines:
        for _ in range(50):
            failures.log_failure(refused, call_id="call_1")
            failures.log_failure(silent)
    assert [line["event"] for line in lines] == ["database_connection_refused", "database_silent"]
    assert (lines[0]["call_id"], lines[0]["detail"]) == ("call_1", failures.CONNECTION_REFUSED.message)
    monkeypatch.setattr(failures, "REPEAT_SECONDS", 0.0)
    with capture_logs() as lines:
        failures.log_failure(refused)
    assert len(lines) == 1
