"""Batches of writes: their order, the moment of the signal, and calls that must not be batched."""

import json
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.request import InboundCall
from glific_gpt.clock import Deadline
from glific_gpt.database import GroupCommit, Statement, transaction
from glific_gpt.organizations.tables import MonthlySpend
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.usefixtures("numbered_organizations")

TABLE: Any = MonthlySpend.__table__
INSERT = TABLE.insert().inline()
DELETE = TABLE.delete().where(TABLE.c.month == sa.bindparam("of_month"))
COMMIT_SECONDS = 0.1
CALLS = 8


class SlowCommit(GroupCommit):
    """Takes a moment for each commit, so that other writes arrive during it, and records the size of each batch."""

    def __init__(self) -> None:
        super().__init__(1.0)
        self.sizes: list[int] = []
        self.started = threading.Event()

    def _commit(self, engine: Any, batch: Iterable[Sequence[Statement]], *args: Any, **kwargs: Any) -> None:
        statements = list(batch)
        self.sizes.append(len(statements))
        self.started.set()
        time.sleep(COMMIT_SECONDS)
        super()._commit(engine, statements, *args, **kwargs)


def insert(month: str) -> Statement:
    return INSERT, {"organization_id": 1, "month": month, "usd": Decimal(1)}


def replace_row(month: str) -> list[Statement]:
    return [(DELETE, {"of_month": month}), insert(month)]


def months(server: RunningServer) -> list[str]:
    with server.app.app_context(), transaction() as session:
        return sorted(session.scalars(sa.select(MonthlySpend.month)))


def test_a_batch_keeps_the_order_of_statements_of_the_call_with_the_most(
    server: RunningServer, alice: TestOrganization
) -> None:
    group = SlowCommit()

    def write(*statements: Statement) -> None:
        with server.app.app_context():
            group.write(*statements)

    write(insert("2026-01"))
    group.started.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(write, insert("2026-02"))
        assert group.started.wait(5)
        # Both arrive during the first commit, so the next transaction has both. Without the order of the second call,
        # its row would be inserted before the old one is deleted.
        single = pool.submit(write, insert("2026-03"))
        time.sleep(COMMIT_SECONDS / 4)
        double = pool.submit(write, *replace_row("2026-01"))
        for each in (first, single, double):
            each.result()
    assert group.sizes == [1, 1, 2]
    assert months(server) == ["2026-01", "2026-02", "2026-03"]


def test_a_write_returns_after_its_commit(server: RunningServer, alice: TestOrganization) -> None:
    group = SlowCommit()
    with server.app.app_context():
        group.write(insert("2026-01"))
        assert months(server) == ["2026-01"]


@pytest.mark.parametrize(
    ("settings", "is_batched"),
    [({}, True), ({"monthly_budget_usd": 100}, False), ({"contact_daily_limit": 100}, False)],
    ids=["no limit", "budget", "contact limit"],
)
def test_only_calls_without_limits_are_batched(
    server: RunningServer, openai: OpenAIStandIn, settings: dict[str, Any], is_batched: bool
) -> None:
    openai.always(answer("Salt."))
    server.add_organization("alice", **settings)
    creation, completion = SlowCommit(), SlowCommit()
    pipeline = replace(server.services.pipeline, creation=creation, completion=completion)

    def call(contact: int) -> int:
        body = json.dumps({"question_text": "What is ORS?", "contact": {"id": contact}}).encode()
        with server.app.app_context():
            tenant = tenants.find_tenant("alice", "open_ai", "")
            assert tenant
            inbound = InboundCall("parse_via_chat_gpt", body, Deadline.after(4))
            context = CallContext(tenant.organization_id, inbound.function)
            return pipeline.run(tenant, inbound, context).status

    # In threads, as on the event loop a slow commit would keep other calls from arriving.
    with ThreadPoolExecutor(CALLS) as pool:
        assert list(pool.map(call, range(1, CALLS + 1))) == [200] * CALLS
    # A call with a limit writes its row in a transaction of its own, and not through `creation`.
    assert (max(creation.sizes, default=1) > 1) is is_batched
    assert (max(completion.sizes) > 1) is is_batched
    assert sum(completion.sizes) == CALLS
