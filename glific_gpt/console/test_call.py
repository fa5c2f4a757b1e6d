"""A call that a person makes from a page: on the path of every call, after the console's lock instead of a token."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import JsonValue

from glific_gpt.calls import pipeline, timeline
from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.execution import Outcome
from glific_gpt.calls.request import InboundCall
from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import Tenant
from glific_gpt.database import transaction
from glific_gpt.errors import NotFound, Overloaded
from glific_gpt.functions import parse_via_chat_gpt
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

FUNCTION = parse_via_chat_gpt.function.name

log = structlog.get_logger()


@dataclass(frozen=True)
class Trial:
    """A call with all that is known of it; what was asked and answered is in no other place."""

    question: str = field(repr=False)
    request: str = field(repr=False)
    """The function body that was sent."""
    outcome: Outcome = field(repr=False)
    milliseconds: int
    """Until there was an answer, as Glific would have measured."""
    call: Call | None
    """Its row; None when the database was away."""

    @property
    def answered(self) -> bool:
        return self.outcome.status == 200

    @property
    def answer(self) -> JsonValue:
        return self.outcome.body["parsed_msg"]

    @property
    def reply(self) -> str:
        """The JSON that was answered."""
        return _json(self.outcome.body)


def attempt(organization: Organization, body: dict[str, Any]) -> Trial:
    """Makes the call, which costs what every call costs. The person before the page may do that here."""
    if organization.glific_organization_id is not None:
        # Glific writes its own id into every body, and calls without it are refused.
        body = body | {"organization_id": organization.glific_organization_id}
    request = _json(body)
    before = time.monotonic()
    outcome = _run(organization, request.encode())
    took = round((time.monotonic() - before) * 1000)
    facts = {key: outcome.body.get(key) for key in ("call_id", "error_code")}
    log.info("call", organization=organization.slug, function=FUNCTION, status=outcome.status, tried=True, **facts)
    return Trial(body["question_text"], request, outcome, took, _row(organization, str(facts["call_id"])))


def _run(organization: Organization, body: bytes) -> Outcome:
    app = services()
    inbound = InboundCall(FUNCTION, body, pipeline.request_deadline(app.settings))
    tenant = _tenant(organization)
    try:
        with pipeline.hold_slot(app.slots):
            return app.pipeline.run(tenant, inbound)
    except Overloaded as error:
        return app.pipeline.refuse(tenant, FUNCTION, error)


def _tenant(organization: Organization) -> Tenant:
    with transaction() as session:
        return tenants.find_tenant_by_id(session, organization.id, services().language_models.name)


def _row(organization: Organization, call_id: str) -> Call | None:
    try:
        with transaction() as session:
            return timeline.find_timeline(session, organization.id, call_id).call
    except NotFound:
        return None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
