"""Processes of durable work, and an engine that hands work in and does none."""

import sys
import uuid
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from glific_gpt.durable import Durable, Engine
from tests.support.later import wait_until
from tests.support.programs import Program, start

Start = Callable[..., Program]
HandIn = Callable[..., None]
Launch = Callable[..., None]


@pytest.fixture
def start_program(tmp_path: Path, database_url: str) -> Iterator[Start]:
    """Starts one that does what its arguments say (tests/support/durable_program.py), once it has said the first."""
    with ExitStack() as stack:

        def run(what: str, *arguments: str, says: str) -> Program:
            folder = tmp_path / f"program-{len(list(tmp_path.iterdir()))}"
            command = (sys.executable, "-m", "tests.support.durable_program", what, database_url, *arguments)
            program = stack.enter_context(start(command, folder))
            wait_until(lambda: says in program.output.splitlines() or program.process.poll() is not None)
            assert says in program.output.splitlines(), program.errors
            return program

        yield run


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Not launched."""
    engine = Engine(sa.make_url(database_url), at_once=10, at_once_each=5)
    yield engine
    engine.close()


@pytest.fixture
def hand_in(engine: Engine, database_url: str) -> HandIn:
    """Hands work in, each in a transaction of its own."""

    def enqueue(*subjects: str) -> None:
        database = sa.create_engine(database_url)
        for subject in subjects:
            with Session(database) as session, session.begin():
                engine.enqueue(session, subject, subject, 1)
        database.dispose()

    return enqueue


@pytest.fixture
def done() -> list[str]:
    """What the work has left, in its order."""
    return []


@pytest.fixture
def launch(engine: Engine, done: list[str]) -> Launch:
    """Does work by noting its subject, or by another handler."""

    def note(subject: str, durable: Durable) -> None:
        durable.step("note", lambda: done.append(subject))

    return lambda handler=note, listens=True: engine.launch(handler, listens=listens)


@pytest.fixture
def subject() -> str:
    return f"call_{uuid.uuid4().hex}"


def rows(database_url: str, table: str, columns: str = "*") -> list[tuple[object, ...]]:
    """All of one of the engine's own tables."""
    schema = "" if database_url.startswith("sqlite") else "dbos."
    database = sa.create_engine(database_url)
    with database.connect() as connection:
        found = [tuple(row) for row in connection.execute(sa.text(f"SELECT {columns} FROM {schema}{table}"))]  # noqa: S608
    database.dispose()
    return found


def lock_connections(database_url: str) -> set[int]:
    """The process numbers, at the server, of the connections that hold the locks of processes."""
    database = sa.create_engine(database_url)
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'glific_gpt work'"
    )
    with database.connect() as connection:
        found = set(connection.scalars(sa.text(query)))
    database.dispose()
    return found


def cut_connections(database_url: str, spared: AbstractSet[int] = frozenset()) -> None:
    """Of all that hold the locks of processes, but for some."""
    database = sa.create_engine(database_url)
    with database.connect() as connection:
        for pid in lock_connections(database_url) - spared:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    database.dispose()
