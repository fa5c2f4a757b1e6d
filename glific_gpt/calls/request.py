"""A call as it comes in: its JSON, the organization that it names, and how it wants to be answered."""

from dataclasses import dataclass
from typing import Any

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.connections import store as connections
from glific_gpt.credentials import store as credentials
from glific_gpt.credentials.providers import Provider
from glific_gpt.database import transaction
from glific_gpt.errors import (
    CredentialInactive,
    CredentialMissing,
    GlificNotConnected,
    InvalidField,
    InvalidJson,
    MissingFlowContext,
    OrganizationInactive,
    Unauthorized,
)
from glific_gpt.functions.contract import Function, FunctionBody, validate_body
from glific_gpt.functions.registry import Registry
from glific_gpt.functions.values import decode_json, parse_id
from glific_gpt.models import allowlist
from glific_gpt.openai.chat import LanguageModel
from glific_gpt.settings import Settings
from glific_gpt.vault import UnreadableSecret, Vault

SYNC = "sync"
ASYNC = "async"
AUTO = "auto"


@dataclass(frozen=True)
class InboundCall:
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
        values = decode_json(body.decode("utf-8-sig"))
    except ValueError:
        raise InvalidJson from None
    if not isinstance(values, dict):
        raise InvalidJson
    return values


def require_same_organization(tenant: Tenant, values: dict[str, Any]) -> None:
    """Glific writes its own id of the organization into every body. Raises Unauthorized when it is another's."""
    expected = tenant.glific_organization_id
    if expected is not None and parse_id(values.get("organization_id")) != expected:
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


@dataclass(frozen=True)
class ParsedCall:
    """A call that makes sense: its function is there and its fields are right."""

    function: Function[Any]
    body: FunctionBody


@dataclass(frozen=True)
class Admission:
    """The checks, with what they need to know of the server."""

    settings: Settings
    vault: Vault
    functions: Registry
    provider: Provider

    def understand(self, tenant: Tenant, inbound: InboundCall, facts: CallContext) -> ParsedCall:
        """What the call asks. Raises Unauthorized when its body names another organization, and GlificGptError."""
        values = decode(inbound.body)
        require_same_organization(tenant, values)
        function = self.functions.get(inbound.function)
        body = validate_body(function, values)
        check_mode(inbound.mode, body)
        if inbound.mode != SYNC:
            _require_connection(tenant, body)
        facts.contact_id, facts.flow_id = body.contact_id, body.flow_id
        facts.model_asked = allowlist.canonical(body.model_asked or tenant.default_model or self.settings.default_model)
        return ParsedCall(function, body)

    def bind(self, tenant: Tenant, model: str, deadline: Deadline) -> LanguageModel:
        """The model, bound to the organization's key, if the organization may use both. Raises GlificGptError."""
        if not tenant.is_active:
            raise OrganizationInactive
        if tenant.ciphertext is None:
            raise CredentialMissing
        if not tenant.credential_active:
            raise CredentialInactive
        if refusal := allowlist.refusal(model, self.settings.models, tenant.server_models, tenant.allowed_models):
            raise refusal
        return self._bind(tenant, model, deadline, tenant.ciphertext)

    def _bind(self, tenant: Tenant, model: str, deadline: Deadline, ciphertext: str) -> LanguageModel:
        try:
            fields = credentials.decrypt(self.vault, tenant.organization_id, self.provider, ciphertext)
        except UnreadableSecret:
            raise CredentialMissing(
                "This organization's OpenAI key cannot be read any more: enter it once again."
            ) from None
        return self.provider.bind(fields, model, deadline)


def _require_connection(tenant: Tenant, body: FunctionBody) -> None:
    """Raises GlificNotConnected, MissingFlowContext."""
    with transaction() as session:
        connection = connections.find_if_any(session, tenant.organization_id)
    if connection is None:
        raise GlificNotConnected
    if connection.way == "signed" and not (tenant.glific_organization_id or body.organization_id):
        raise MissingFlowContext(
            "The signed call needs Glific's id of the organization: set it with flask organizations set "
            "--glific-organization-id, or send it as organization_id."
        )
