"""Past calls, inserted directly into the table."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from glific_gpt.calls.context import new_call_id
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.support.server import TestOrganization

USAGE = {"model_used": "gpt-4o-2024-08-06", "input_tokens": 100, "output_tokens": 20, "cost_usd": Decimal("0.001")}
"""Columns that only a successful call has."""


def create_call(
    organization: TestOrganization, status: str = "ok", *, at: datetime | None = None, **values: Any
) -> str:
    """Insert a call and return its id. By default, gpt-4o answered it in a second."""
    call_id, started_at = new_call_id(), at or now()
    defaults = {
        "call_id": call_id,
        "function": "parse_via_chat_gpt",
        "model_asked": "gpt-4o",
        "status": status,
        "started_at": started_at,
        "give_up_at": started_at + timedelta(seconds=6),
        "duration_ms": None if status == "interrupted" else 1000,
    }
    usage = USAGE if status == "ok" else {}
    with organization.server.app.app_context(), transaction() as session:
        session.add(Call(**(defaults | usage | values), organization_id=store.find(session, organization.slug).id))
    return call_id


def create_delivery(
    organization: TestOrganization,
    state: str,
    *,
    ended_at: datetime | None = None,
    question: str | None = "ciphertext",
    last_response: str | None = None,
    **values: Any,
) -> str:
    """Insert a deferred call with its delivery, and return its id."""
    call_id = create_call(organization, **values)
    with organization.server.app.app_context(), transaction() as session:
        session.add(
            Delivery(
                call_id=call_id,
                organization_id=store.find(session, organization.slug).id,
                result_name="parse_via_chat_gpt",
                reserved_usd=Decimal(0),
                accepted_at=now(),
                state=state,
                question=question,
                last_response=last_response,
                ended_at=ended_at or now(),
            )
        )
    return call_id
