"""Late writes at the end of a process: it waits a moment for a database that is not available."""

from decimal import Decimal
from threading import Timer

import pytest
from sqlalchemy import select

from glific_gpt.database import LateWrites, transaction
from glific_gpt.organizations.tables import MonthlySpend
from tests.database.test_group_commit import spend
from tests.support.database_faults import lock_calls
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.usefixtures("numbered_organizations")


def spent(server: RunningServer) -> list[Decimal]:
    with server.app.app_context(), transaction() as session:
        return list(session.scalars(select(MonthlySpend.usd)))


def test_without_writes_nothing_waits() -> None:
    assert LateWrites().wait(0) is True


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_waits_until_the_writes_are_done(server: RunningServer, alice: TestOrganization, database_url: str) -> None:
    writes = LateWrites()
    locked = lock_calls(database_url)
    locked.__enter__()
    Timer(0.5, lambda: locked.__exit__(None, None, None)).start()
    with server.app.app_context():
        writes.add([spend("2026-11")])
    assert writes.wait(20) is True
    assert spent(server) == [Decimal(1)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_writes_that_are_lost_are_logged_with_their_number(
    server: RunningServer, alice: TestOrganization, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    writes = LateWrites()
    with lock_calls(database_url), server.app.app_context():
        writes.add([spend("2026-11")])
        assert writes.wait(0.2) is False
    assert '"count": 1' in capfd.readouterr().err
    assert writes.wait(20) is True
