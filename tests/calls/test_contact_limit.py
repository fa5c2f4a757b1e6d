"""The query for the daily limit of a contact. Other calls of the organization wait while it runs."""

from typing import Any

import pytest
from sqlalchemy import event

from glific_gpt.calls import limits
from glific_gpt.calls.tenant import find_tenant_by_id
from glific_gpt.database import db, transaction
from glific_gpt.organizations import store
from tests.support.server import TestOrganization


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_reads_neither_refused_calls_nor_calls_of_earlier_days(alice: TestOrganization) -> None:
    alice.change(contact_daily_limit=3)
    executed: list[tuple[str, Any]] = []
    with alice.server.app.app_context(), transaction() as session:
        tenant = find_tenant_by_id(session, store.find(session, alice.slug).id, "open_ai")
        event.listen(db.engine, "before_cursor_execute", lambda *call: executed.append((call[2], call[3])))
        limits.check_contact(session, tenant, 21)
        statement, parameters = executed[-1]
        rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = " ".join(str(row[-1]) for row in rows)
    assert "ix_calls_contact_limit (organization_id=? AND contact_id=? AND status=? AND started_at>?)" in plan
    assert "LIMIT" in statement
