"""GET /livez and GET /readyz: whether a load balancer may send calls to this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from glific_gpt.database import db, transaction
from glific_gpt.operations import readiness
from glific_gpt.operations.key_check import KeyCheck
from tests.conftest import StartServer
from tests.support import http
from tests.support.databases import behind_on_migrations
from tests.support.server import RunningServer

pytestmark = pytest.mark.both_databases

READ_ONLY = "default_transaction_read_only"


@pytest.fixture(autouse=True)
def check_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "INTERVAL_SECONDS", 0.0)


def is_ready(server: RunningServer) -> bool:
    """Ask both health checks. The process must be alive, whatever the database does."""
    assert http.get(f"{server.url}/livez").json() == {"status": "ok"}
    response = http.get(f"{server.url}/readyz")
    expected = {200: {"status": "ok"}, 503: {"status": "unavailable"}}
    assert response.json() == expected[response.status_code]
    return response.status_code == 200


def reason(server: RunningServer) -> str:
    """Return the reason in the log why the server is not ready."""
    with capture_logs() as lines:
        assert not is_ready(server)
    (line,) = [line for line in lines if line["event"] == "readiness_check_failed"]
    return str(line["reason"])


@contextmanager
def read_only(server: RunningServer) -> Iterator[None]:
    """Make the database read-only meanwhile."""
    with server.app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"
        setting = "PRAGMA query_only = " if is_sqlite else f"ALTER DATABASE {db.engine.url.database} SET {READ_ONLY} = "
        execute(f"{setting} on")
        try:
            yield
        finally:
            execute(f"{setting} off")


def execute(statement: str) -> None:
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ WRITE")
        connection.exec_driver_sql(statement)
    if db.engine.dialect.name == "postgresql":  # the setting is for new connections
        db.engine.dispose()


def test_a_server_with_its_database_and_keys_is_ready(server: RunningServer) -> None:
    assert is_ready(server)


def test_it_writes_a_row(server: RunningServer) -> None:
    def written_at() -> object:
        with server.app.app_context(), transaction() as session:
            return session.scalar(sa.select(KeyCheck.written_at))

    is_ready(server)
    before = written_at()
    is_ready(server)
    assert written_at() != before


def test_a_read_only_database_is_not_ready(server: RunningServer) -> None:
    with read_only(server):
        assert reason(server).startswith("The database is read-only.")
    assert is_ready(server)


def test_other_encryption_keys_are_not_ready(server: RunningServer, start_server: StartServer) -> None:
    assert is_ready(server)
    other = start_server(encryption_keys=Fernet.generate_key().decode())
    assert reason(other).startswith("The database was encrypted with other keys")
    assert is_ready(server)


def test_missing_migrations_are_not_ready(server: RunningServer, database_url: str) -> None:
    with behind_on_migrations(database_url):
        assert reason(server) == "Migrations are missing. Run 'flask db upgrade'."
    assert is_ready(server)


def test_the_database_is_asked_once_a_second(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "INTERVAL_SECONDS", 60.0)
    assert is_ready(server)
    with read_only(server):
        assert is_ready(server)
        monkeypatch.setattr(readiness, "INTERVAL_SECONDS", 0.0)
        assert not is_ready(server)
