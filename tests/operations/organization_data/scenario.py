"""An organization with rows in every table, and all rows of a database."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.alerts.tables import AlertState
from glific_gpt.calls.tables import DailyTotals, StoredReply
from glific_gpt.clock import now
from glific_gpt.database import db, transaction
from glific_gpt.operations.organization_data.tables import TABLES
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.tables import BudgetReservation, MonthlySpend
from tests.support.call_records import create_call, create_delivery
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

CONTACT = 21
PHRASE = "a phrase of seva and glific"
SHARED_PERSON = "both@example.org"
"""A member of every organization of the scenario."""

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table."""


def fill(organization: TestOrganization, glific: GlificStandIn) -> None:
    """Give the organization rows in every table, and an owner `owner@<slug>.example.org` of its own."""
    organization.set_phrase(PHRASE)
    organization.connect(glific)
    create_call(organization, contact_id=CONTACT, flow_id=5)
    create_call(organization, "error", error_code="rate_limited")
    waiting = create_delivery(organization, "waiting", status="pending", contact_id=CONTACT)
    create_delivery(organization, "undelivered", status="error", contact_id=CONTACT)
    with organization.server.app.app_context(), transaction() as session:
        row = store.find(session, organization.slug)
        tokens.create_api_token(session, "report", row)
        people.add_member(session, row.id, f"owner@{organization.slug}.example.org", Role.OWNER)
        people.add_member(session, row.id, SHARED_PERSON, Role.VIEWER)
        session.add(MonthlySpend(organization_id=row.id, month="2026-11", usd=Decimal("1.25")))
        session.add(
            DailyTotals(
                organization_id=row.id,
                day=now().date(),
                function="parse_via_chat_gpt",
                model="gpt-4o",
                failure="",
                is_deferred=False,
                calls=2,
                input_tokens=20,
                output_tokens=10,
                cost_usd=Decimal("0.5"),
                unpriced=0,
                last_at=now(),
                answer_times={"100": 2},
            )
        )
        session.add(AlertState(organization_id=row.id, code="key_refused"))
        session.add(BudgetReservation(call_id=waiting, organization_id=row.id, month="2026-11", usd=Decimal("0.5")))
        times = {"give_up_at": now(), "expires_at": now() + timedelta(minutes=10)}
        session.add(StoredReply(organization_id=row.id, key_hash="ab" * 32, call_id=waiting, **times))


def organization_id(organization: TestOrganization) -> int:
    with organization.server.app.app_context(), transaction() as session:
        return store.find(session, organization.slug).id


def rows_of(server: RunningServer, organization_id: int) -> Rows:
    """Return the organization's rows of every table."""
    with server.app.app_context(), transaction() as session:
        queries = {table.table.name: select(table.table).where(table.owner == organization_id) for table in TABLES}
        return {name: [dict(row) for row in session.execute(query).mappings()] for name, query in queries.items()}


def other_rows(server: RunningServer, organization_id: int) -> Rows:
    """Return all rows of the database that are not the organization's, those of other tables included."""
    owners = {table.table.name: table.owner for table in TABLES}
    found: Rows = {}
    with server.app.app_context(), transaction() as session:
        for table in db.metadata.sorted_tables:
            query = select(table).order_by(*table.primary_key)
            if table.name in owners:
                query = query.where(owners[table.name].is_distinct_from(organization_id))
            found[table.name] = [dict(row) for row in session.execute(query).mappings()]
    return found
