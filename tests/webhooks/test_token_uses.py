"""The last use of tokens: recorded by day, and never at the expense of a call."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.exc import OperationalError

from glific_gpt.database import db, transaction
from glific_gpt.operations.housekeeping import write_token_uses
from glific_gpt.operations.worker import stop_worker
from glific_gpt.organizations.tables import ApiToken, WebhookToken
from glific_gpt.organizations.token_uses import TokenUses, UsedToken
from tests.api.client import client_of
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOON.date()
DAY = timedelta(days=1)


def last_uses(server: RunningServer, table: type[WebhookToken] | type[ApiToken] = WebhookToken) -> list[date | None]:
    """Return the last use of each token, the oldest token first."""
    with server.app.app_context(), transaction() as session:
        return list(session.scalars(sa.select(table.last_used_on).order_by(table.id)))


def write(server: RunningServer, uses: TokenUses, token_id: int, at: datetime) -> int:
    """Note a use at this time, write it, and return the number of statements."""
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    with time_machine.travel(at, tick=False), server.app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", count)
        uses.note(UsedToken(WebhookToken, token_id))
        uses.write()
        sa.event.remove(db.engine, "before_cursor_execute", count)
    return len([statement for statement in statements if statement.startswith("UPDATE")])


def test_housekeeping_writes_which_tokens_were_used(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    client = client_of(server)
    assert client.get("/organizations").status_code == 200
    assert alice.ask().status_code != 401  # it need not succeed
    assert bob.post({"question_text": "Hi"}, headers={"Authorization": f"Bearer {alice.token}"}).status_code == 401
    assert (last_uses(server), last_uses(server, ApiToken)) == ([None, None], [None])
    write_token_uses(server.app)
    (used, unused), (by_api,) = last_uses(server), last_uses(server, ApiToken)
    assert used is not None
    assert (unused, by_api) == (None, used)


def test_a_signed_call_is_no_use_of_the_token(server: RunningServer, alice: TestOrganization) -> None:
    alice.change(require_signature=True)
    assert alice.ask().status_code == 401
    write_token_uses(server.app)
    assert last_uses(server) == [None]


def test_a_process_that_ends_writes_the_uses(server: RunningServer, alice: TestOrganization) -> None:
    alice.ask()
    stop_worker(server.app)
    assert last_uses(server) != [None]


def test_a_token_is_written_once_a_day(server: RunningServer, alice: TestOrganization) -> None:
    uses = TokenUses()
    assert write(server, uses, 1, NOON) == 1
    assert write(server, uses, 1, NOON + timedelta(hours=11)) == 0
    assert last_uses(server) == [TODAY]
    assert write(server, uses, 1, NOON + timedelta(hours=12)) == 1
    assert last_uses(server) == [TODAY + DAY]


def test_the_latest_use_of_several_processes_counts(server: RunningServer, alice: TestOrganization) -> None:
    for at in (NOON, NOON + DAY, NOON - DAY):
        write(server, TokenUses(), 1, at)
    assert last_uses(server) == [TODAY + DAY]


def test_the_use_of_a_revoked_token_is_ignored(server: RunningServer, alice: TestOrganization) -> None:
    write(server, TokenUses(), 99, NOON)
    assert last_uses(server) == [None]


def test_uses_that_could_not_be_written_are_written_later(
    server: RunningServer, alice: TestOrganization, database_url: str
) -> None:
    uses, other = TokenUses(), sa.create_engine(database_url)
    with other.connect() as connection:
        lock = "BEGIN IMMEDIATE" if connection.dialect.name == "sqlite" else "LOCK TABLE webhook_tokens"
        connection.exec_driver_sql(lock)
        with pytest.raises(OperationalError):
            write(server, uses, 1, NOON)
        connection.rollback()
    other.dispose()
    with server.app.app_context():
        uses.write()
    assert last_uses(server) == [TODAY]
