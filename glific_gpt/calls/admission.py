"""Admission: every check that a call must pass before a token is spent, in the order that the webhook promises."""

from dataclasses import dataclass
from typing import Any

from glific_gpt.calls.inbound import SYNC, Inbound, check_mode, decode, require_same_organization
from glific_gpt.calls.records import Facts
from glific_gpt.calls.tenant import Tenant
from glific_gpt.catalogue import policy
from glific_gpt.clock import Deadline
from glific_gpt.connections import store as connections
from glific_gpt.credentials import store as credentials
from glific_gpt.credentials.provider import Provider
from glific_gpt.database import transaction
from glific_gpt.errors import (
    CredentialInactive,
    CredentialMissing,
    GlificNotConnected,
    MissingFlowContext,
    OrganizationInactive,
)
from glific_gpt.functions.checking import check
from glific_gpt.functions.contract import Function, FunctionBody
from glific_gpt.functions.registry import Registry
from glific_gpt.llm.chat import LanguageModel
from glific_gpt.settings import Settings
from glific_gpt.vault import UnreadableSecret, Vault


@dataclass(frozen=True)
class Understood:
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

    def understand(self, tenant: Tenant, inbound: Inbound, facts: Facts) -> Understood:
        """What the call asks. Raises Unauthorized when its body names another organization, and GlificGptError."""
        values = decode(inbound.body)
        require_same_organization(tenant, values)
        function = self.functions.get(inbound.function)
        body = check(function, values)
        check_mode(inbound.mode, body)
        if inbound.mode != SYNC:
            _require_connection(tenant, body)
        facts.contact_id, facts.flow_id = body.contact_id, body.flow_id
        facts.model_asked = policy.canonical(body.model_asked or tenant.default_model or self.settings.default_model)
        return Understood(function, body)

    def bind(self, tenant: Tenant, model: str, deadline: Deadline) -> LanguageModel:
        """The model, bound to the organization's key, if the organization may use both. Raises GlificGptError."""
        if not tenant.is_active:
            raise OrganizationInactive
        if tenant.ciphertext is None:
            raise CredentialMissing
        if not tenant.credential_active:
            raise CredentialInactive
        if refusal := policy.refusal(model, self.settings.models, tenant.server_models, tenant.allowed_models):
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
