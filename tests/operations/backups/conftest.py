"""Databases that hold something, and empty ones."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.database.engines import parse_url
from glific_gpt.emails.smtp import Email
from glific_gpt.operations.backups import backing_up, restoring
from glific_gpt.operations.backups.restoring import Restored
from tests.conftest import POSTGRESQL, SQLITE, StartServer
from tests.support import databases
from tests.support.call_records import create_call
from tests.support.deferred import create_connected_organization, pending_call_id
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

NewDatabase = Callable[[str], str]

OTHER_KIND = {SQLITE: POSTGRESQL, POSTGRESQL: SQLITE}


# Set up first, so that the servers of a test end before its databases are dropped.
@pytest.fixture(autouse=True)
def new_database(tmp_path: Path) -> Iterator[NewDatabase]:
    """Create a database without tables, of a kind, and return its URL."""
    numbers = count(1)
    with ExitStack() as stack:

        def create(kind: str) -> str:
            if kind == SQLITE:
                return f"sqlite:///{tmp_path}/new-{next(numbers)}.db"
            databases.require_postgresql()
            return stack.enter_context(databases.postgresql_database())

        yield create


@pytest.fixture
def kind(database_url: str) -> str:
    """Kind of the database of the test."""
    return kind_of(database_url)


def kind_of(url: str) -> str:
    return SQLITE if url.startswith("sqlite") else POSTGRESQL


@pytest.fixture
def server(start_server: StartServer, patient_deferral: None) -> RunningServer:
    """A server without a worker, which defers calls also on a busy machine."""
    return start_server(deadline_seconds=60)


@pytest.fixture
def alice(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """A connected organization on a server without a worker."""
    return create_connected_organization(server, glific)


@pytest.fixture
def waiting(alice: TestOrganization) -> str:
    """Store a call, a call that waits for its answer, and an e-mail. Return the id of the waiting call."""
    create_call(alice, model_asked="मलेरिया")
    send_email(alice.server)
    return pending_call_id(alice.ask_deferred())


def send_email(server: RunningServer) -> None:
    email = Email("asha@example.org", "Hello", "A link")
    with server.app.app_context(), transaction() as session:
        assert server.services.outbox.send(session, email, now() + timedelta(hours=1))


def read_tables(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of all tables as the driver gives them, in a fixed order."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    schemas = [None] if kind_of(url) == SQLITE else [None, "dbos"]
    found: dict[str, list[tuple[object, ...]]] = {}
    with engine.connect() as connection:
        for schema in schemas:
            for name in sa.inspect(connection).get_table_names(schema):
                prefix = f"{schema}." if schema else ""
                columns = [column["name"] for column in sa.inspect(connection).get_columns(name, schema)]
                selected = ", ".join(f'"{column}"' for column in sorted(columns))
                rows = connection.exec_driver_sql(f'SELECT {selected} FROM {prefix}"{name}"')  # noqa: S608
                found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def open_server(start_server: StartServer, url: str) -> RunningServer:
    """Start a server on this database, with a worker."""
    return start_server(with_worker=True, database_url=url)


def ignore(_phase: str, _done: int, _total: int) -> None:
    """Show no progress."""


BackUpFile = Callable[[], Path]
Restore = Callable[..., Restored]


@pytest.fixture
def backup(server: RunningServer, database_url: str, tmp_path: Path) -> BackUpFile:
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
