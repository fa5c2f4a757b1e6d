"""The engine: work is handed in with what else is committed, and done once, in the queue's process or beside it."""

import time
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from glific_gpt.durable import Durable, Engine, Handler
from glific_gpt.durable.engine import POLL_SECONDS
from tests.durable.conftest import HandIn, Launch, rows
from tests.support.later import wait_until


def test_it_does_what_was_handed_in_before_and_after_its_launch(
    launch: Launch, hand_in: HandIn, done: list[str], subject: str
) -> None:
    hand_in(subject)
    launch()
    hand_in(f"{subject}-2")
    wait_until(lambda: sorted(done) == [subject, f"{subject}-2"])


def test_it_does_nothing_of_what_was_rolled_back(
    engine: Engine, launch: Launch, hand_in: HandIn, done: list[str], subject: str, database_url: str
) -> None:
    launch()
    database = sa.create_engine(database_url)
    with Session(database) as session:
        engine.enqueue(session, f"{subject}-lost", f"{subject}-lost", 1)
        session.rollback()
    database.dispose()
    hand_in(subject)
    wait_until(lambda: done)
    assert done == [subject]
    assert not engine.is_at_work(f"{subject}-lost")


def test_it_does_work_of_the_same_name_once(
    engine: Engine, launch: Launch, hand_in: HandIn, done: list[str], subject: str
) -> None:
    hand_in(subject, subject)
    launch()
    wait_until(lambda: done)
    hand_in(subject, f"{subject}-2")
    assert engine.start(subject, subject, 1)
    wait_until(lambda: f"{subject}-2" in done)
    assert done == [subject, f"{subject}-2"]


def test_it_starts_work_beside_the_queue_only_where_work_is_done(
    engine: Engine, launch: Launch, hand_in: HandIn, done: list[str], subject: str
) -> None:
    assert not engine.start(subject, subject, 1)
    launch(listens=False)
    hand_in(f"{subject}-queued")
    assert engine.start(subject, subject, 1)
    wait_until(lambda: done)
    time.sleep(4 * POLL_SECONDS)
    assert done == [subject]
    assert engine.is_at_work(f"{subject}-queued")
    engine.stop(0)
    assert not engine.start(f"{subject}-2", subject, 1)


def test_it_says_whether_work_is_waiting_or_being_done(
    engine: Engine, launch: Launch, hand_in: HandIn, subject: str
) -> None:
    go_on = Event()
    assert not engine.is_at_work(subject)
    hand_in(subject)
    assert engine.is_at_work(subject)

    def wait(_subject: str, durable: Durable) -> None:
        durable.step("wait", lambda: go_on.wait(10))

    launch(wait)
    assert engine.is_at_work(subject)
    go_on.set()
    wait_until(lambda: not engine.is_at_work(subject))


def fail_in_a_step(_subject: str, durable: Durable) -> None:
    durable.step("fail", lambda: fail(_subject, durable))


def fail(_subject: str, _durable: Durable) -> None:
    raise ValueError("Asha Devi asked about malaria")


@pytest.mark.parametrize("handler", [fail, fail_in_a_step])
def test_it_remembers_nothing_of_a_failure_but_its_kind(
    engine: Engine, launch: Launch, hand_in: HandIn, subject: str, database_url: str, handler: Handler
) -> None:
    launch(handler)
    hand_in(subject)
    wait_until(lambda: not engine.is_at_work(subject))
    tables = ("workflow_status", "workflow_input", "workflow_output", "operation_outputs")
    known = str([rows(database_url, table) for table in tables])
    assert "Asha" not in known
    assert "malaria" not in known
    assert "ValueError" in known


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_waits_for_its_tables_longer_than_the_role_would_have_it(
    engine: Engine, launch: Launch, hand_in: HandIn, done: list[str], subject: str, database_url: str
) -> None:
    """Time limits for calls, which administrators give the role where the connection cannot have them (PgBouncer)."""
    limits = ("statement_timeout", "lock_timeout")
    alter = f"ALTER DATABASE {sa.make_url(database_url).database}"
    database = sa.create_engine(database_url, isolation_level="AUTOCOMMIT")
    with database.connect() as connection:
        connection.execute(sa.text("; ".join(f"{alter} SET {limit} = '200ms'" for limit in limits)))
        try:
            launch()
            hand_in(subject)
            connection.execute(sa.text("BEGIN; LOCK TABLE dbos.operation_outputs IN EXCLUSIVE MODE"))
            wait_until(lambda: done)
            time.sleep(1)
            connection.execute(sa.text("COMMIT"))
            wait_until(lambda: not engine.is_at_work(subject))
        finally:
            connection.execute(sa.text("; ".join(f"{alter} RESET {limit}" for limit in limits)))
    database.dispose()
    assert rows(database_url, "workflow_status", "status") == [("SUCCESS",)]
