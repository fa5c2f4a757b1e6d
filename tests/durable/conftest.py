"""Worker processes, and an engine that enqueues work without running it."""

import sys
import uuid
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from glific_gpt.database.connection_shares import share_out
from glific_gpt.durable import WorkflowContext, WorkflowEngine
from tests.support.deferred import wait_until
from tests.support.programs import Program, start

Start = Callable[..., Program]
Enqueue = Callable[..., None]
Launch = Callable[..., None]
Hold = Callable[..., bool]


@pytest.fixture
def start_program(tmp_path: Path, database_url: str) -> Iterator[Start]:
    """Start tests/support/durable_program.py with these arguments, and wait until it prints `until`."""
    with ExitStack() as stack:

        def run(command_name: str, *arguments: str, until: str) -> Program:
            folder = tmp_path / f"program-{len(list(tmp_path.iterdir()))}"
            command = (sys.executable, "-m", "tests.support.durable_program", command_name, database_url, *arguments)
            program = stack.enter_context(start(command, folder, is_forked=True))
            wait_until(lambda: until in program.output.splitlines() or program.process.poll() is not None)
            assert until in program.output.splitlines(), program.errors
            return program

        yield run


@pytest.fixture
def engine(database_url: str) -> Iterator[WorkflowEngine]:
    """An engine that is not launched."""
    engine = WorkflowEngine(sa.make_url(database_url), share_out(20), max_concurrent=10, max_concurrent_per_partition=5)
    yield engine
    engine.close()


@pytest.fixture
def enqueue(engine: WorkflowEngine, database_url: str) -> Enqueue:
    """Enqueue each subject in its own transaction."""

    def enqueue_subjects(*subjects: str) -> None:
        database = sa.create_engine(database_url)
        for subject in subjects:
            with Session(database) as session, session.begin():
                engine.enqueue(session, subject, subject, 1)
        database.dispose()

    return enqueue_subjects


@pytest.fixture
def hold(engine: WorkflowEngine, database_url: str) -> Hold:
    """Hold the work of a subject, and return whether this process does."""

    def hold_subject(subject: str, seconds: float = 600) -> bool:
        database = sa.create_engine(database_url)
        with Session(database) as session, session.begin():
            is_held = engine.hold(session, subject, subject, 1, seconds)
        database.dispose()
        return is_held

    return hold_subject


@pytest.fixture
def done() -> list[str]:
    """Subjects of finished work, in order."""
    return []


@pytest.fixture
def launch(engine: WorkflowEngine, done: list[str]) -> Launch:
    """Launch the engine with a handler that appends the subject to `done`, or with another handler."""

    def append_subject(subject: str, context: WorkflowContext) -> None:
        context.step("append", lambda: done.append(subject))

    return lambda handler=append_subject, consumes=True: engine.launch(handler, consumes=consumes)


@pytest.fixture
def subject() -> str:
    return f"call_{uuid.uuid4().hex}"


def rows(database_url: str, table: str, columns: str = "*") -> list[tuple[object, ...]]:
    """Return all rows of a table of DBOS."""
    schema = "" if database_url.startswith("sqlite") else "dbos."
    database = sa.create_engine(database_url)
    with database.connect() as connection:
        found = [tuple(row) for row in connection.execute(sa.text(f"SELECT {columns} FROM {schema}{table}"))]  # noqa: S608
    database.dispose()
    return found


def lock_connections(database_url: str) -> set[int]:
    """Return the server process ids of the connections that hold process locks."""
    database = sa.create_engine(database_url)
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'glific_gpt work'"
    )
    with database.connect() as connection:
        found = set(connection.scalars(sa.text(query)))
    database.dispose()
    return found


def cut_connections(database_url: str, except_for: AbstractSet[int] = frozenset()) -> None:
    """Terminate the connections that hold process locks."""
    database = sa.create_engine(database_url)
    with database.connect() as connection:
        for pid in lock_connections(database_url) - except_for:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    database.dispose()
