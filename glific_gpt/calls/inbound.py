"""A call as it comes in: its JSON, the organization that it names, and how it wants to be answered."""

from dataclasses import dataclass
from typing import Any

from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.errors import InvalidField, InvalidJson, MissingFlowContext, Unauthorized
from glific_gpt.functions import strict_json
from glific_gpt.functions.contract import FunctionBody
from glific_gpt.functions.values import flow_number

SYNC = "sync"
ASYNC = "async"
AUTO = "auto"


@dataclass(frozen=True)
class Inbound:
    """A call whose caller has been let in."""

    function: str
    body: bytes
    deadline: Deadline
    mode: str = SYNC
    idempotency_key: str | None = None
    """What is the same when the same call comes again."""


def decode(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, whatever its Content-Type says. Raises InvalidJson."""
    try:
        values = strict_json.loads(body.decode("utf-8-sig"))
    except ValueError:
        raise InvalidJson from None
    if not isinstance(values, dict):
        raise InvalidJson
    return values


def require_same_organization(tenant: Tenant, values: dict[str, Any]) -> None:
    """Glific writes its own id of the organization into every body. Raises Unauthorized when it is another's."""
    expected = tenant.glific_organization_id
    if expected is not None and flow_number(values.get("organization_id")) != expected:
        raise Unauthorized


def check_mode(mode: str, body: FunctionBody) -> None:
    """Raises InvalidField, MissingFlowContext."""
    if mode == SYNC:
        return
    if mode not in {ASYNC, AUTO}:
        raise InvalidField("mode, at the end of the webhook's address, is sync, async or auto.")
    if body.flow_id is None or body.contact_id is None:
        raise MissingFlowContext(
            "A later answer needs to know where to go: add contact and flow_id to the body of the webhook node, "
            'as "contact": "@contact" and "flow_id": "@flow.id".'
        )
