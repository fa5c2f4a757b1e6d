"""Test calls from the console. They take the same path as webhook calls, with the session in place of a token."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import JsonValue

from glific_gpt.calls import pipeline, timeline
from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.execution import Outcome
from glific_gpt.calls.request import InboundCall
from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import Tenant
from glific_gpt.database import transaction
from glific_gpt.errors import NotFound, Overloaded
from glific_gpt.functions.contract import THREAD_ID, Function
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

THREAD_VARIABLE = "@results.gpt_response.thread_id"
SHOWN_CHARACTERS = 20
"""Characters of a thread id that the page shows."""

log = structlog.get_logger()


@dataclass(frozen=True)
class TestCall:
    """A finished test call. The question and the answer are not stored anywhere else."""

    question: str = field(repr=False)
    """The values that a flow fills in, such as the message of the contact."""
    request: str = field(repr=False)
    """The function body of a flow that makes this call, as JSON."""
    outcome: Outcome = field(repr=False)
    milliseconds: int
    """Time until the answer, as Glific would measure it."""
    call: Call | None
    """The recorded call, or None if the database was not available."""

    @property
    def is_answered(self) -> bool:
        return self.outcome.status == 200

    @property
    def answer(self) -> JsonValue:
        return self.outcome.body["parsed_msg"]

    @property
    def response(self) -> str:
        """The response, as JSON, with the beginning of a thread id."""
        body = self.outcome.body
        return _format_json(body | ({THREAD_ID: f"{self.thread_id[:SHOWN_CHARACTERS]}…"} if self.thread_id else {}))

    @property
    def thread_id(self) -> str:
        """The thread id for the next question; empty without memory."""
        return str(self.outcome.body.get(THREAD_ID, ""))


def make_test_call(organization: Organization, function: Function[Any], body: dict[str, Any]) -> TestCall:
    """Make a real call for the organization, which OpenAI charges for. The caller has checked the access level."""
    if organization.glific_organization_id is not None:
        # Calls without the id are refused once it is set. Glific adds it to every body.
        body = body | {"organization_id": organization.glific_organization_id}
    # A flow sends a variable in place of the thread id.
    request = _format_json(body | ({THREAD_ID: THREAD_VARIABLE} if THREAD_ID in body else {}))
    started = time.monotonic()
    outcome = _run(organization, function.name, _format_json(body).encode())
    milliseconds = round((time.monotonic() - started) * 1000)
    facts = {key: outcome.body.get(key) for key in ("call_id", "error_code")}
    log.info(
        "test_call_finished", organization=organization.slug, function=function.name, status=outcome.status, **facts
    )
    question = "\n".join(str(body[name]) for name in function.flow_values if name in body)
    return TestCall(question, request, outcome, milliseconds, _find_record(organization, str(facts["call_id"])))


def _run(organization: Organization, function: str, body: bytes) -> Outcome:
    app = services()
    inbound = InboundCall(function, body, pipeline.request_deadline(app.settings))
    tenant, context = _tenant(organization), CallContext(organization.id, function, mode=inbound.mode, is_test=True)
    try:
        with app.slots.hold(organization.id):
            return app.pipeline.run(tenant, inbound, context)
    except Overloaded as error:
        return app.pipeline.refuse(tenant, context, error)


def _tenant(organization: Organization) -> Tenant:
    with transaction() as session:
        return tenants.find_tenant_by_id(session, organization.id, services().model_provider.name)


def _find_record(organization: Organization, call_id: str) -> Call | None:
    try:
        with transaction() as session:
            return timeline.find_timeline(session, organization.id, call_id).call
    except NotFound:
        return None


def _format_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
