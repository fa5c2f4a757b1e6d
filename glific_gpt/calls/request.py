"""Parse and admit a call: every check that runs before a token is spent, in the order that the webhook promises."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.memory import Memory
from glific_gpt.calls.tenant import Tenant
from glific_gpt.calls.thread_ids import Owner
from glific_gpt.clock import Deadline
from glific_gpt.errors import (
    CredentialInactive,
    CredentialMissing,
    GlificGptError,
    GlificNotConnected,
    InvalidField,
    InvalidJson,
    MissingFlowContext,
    OrganizationInactive,
    Unauthorized,
)
from glific_gpt.functions.body_validation import validate_body
from glific_gpt.functions.contract import Function, FunctionBody, Need, find_contact_id
from glific_gpt.functions.needs import find_refusal
from glific_gpt.functions.registry import Registry
from glific_gpt.functions.values import blank_to_none, decode_json, parse_id
from glific_gpt.models import allowlist
from glific_gpt.openai.chat import LanguageModel
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.organizations.credentials.providers import Provider
from glific_gpt.organizations.tables import DEFAULT_MEMORY_HOURS
from glific_gpt.runtime import cpu_bound
from glific_gpt.settings import MAX_PATTERNS, Settings
from glific_gpt.vault import Vault

SYNC = "sync"
ASYNC = "async"
AUTO = "auto"
BYTES_PER_SLOT = 64 * 1024
"""Bytes of a body that count as one more call. Few questions are longer."""
MODES = {SYNC, ASYNC, AUTO}


@dataclass(frozen=True)
class InboundCall:
    """A call of an authenticated caller, before its body is parsed."""

    function: str
    body: bytes
    deadline: Deadline
    mode: str = SYNC
    idempotency_key: str | None = None
    """Identical for repetitions of the same call; None if the caller sent no key."""
    signature: str | None = None
    """Glific's signature, if it has authenticated the caller. It is identical for repetitions too."""

    @property
    def weight(self) -> int:
        """The number of calls that this one counts as. Until it is answered, its body is in memory several times."""
        return 1 + len(self.body) // BYTES_PER_SLOT

    def with_each_key(self) -> tuple["InboundCall", ...]:
        """Return the call once for each key under which it may have been answered.

        The signature is always one of them: a signed call that was recorded on its way can be repeated with any
        Idempotency-Key, because the signature does not cover headers.
        """
        if self.signature in {None, self.idempotency_key}:
            return (self,)
        return (self, replace(self, idempotency_key=self.signature))


@dataclass(frozen=True)
class ParsedCall:
    """A call to an existing function, with valid fields."""

    function: Function[Any]
    body: FunctionBody


@dataclass(frozen=True)
class Admission:
    """The checks, with the parts of the server that they need."""

    settings: Settings
    vault: Vault
    functions: Registry
    provider: Provider

    def parse(self, tenant: Tenant, inbound: InboundCall, context: CallContext) -> ParsedCall:
        """Parse and validate the body, and note its ids and model in the context.

        Raises Unauthorized if the body names another organization, and other GlificGptError for an invalid call.
        """
        is_long = len(inbound.body) > cpu_bound.LARGE_CHARACTERS
        parsed = cpu_bound.run(lambda: self._parse(tenant, inbound, context), is_long=is_long)
        if inbound.mode != SYNC:
            _require_resumable(tenant, parsed.body)
        return parsed

    def _parse(self, tenant: Tenant, inbound: InboundCall, context: CallContext) -> ParsedCall:
        values = decode_object(inbound.body)
        # Glific adds its own organization id to every body, so another id means another organization's flow.
        if tenant.glific_organization_id not in {None, parse_id(values.get("organization_id"))}:
            raise Unauthorized
        # Before the other checks, so that the flow of a call that fails one can be found.
        context.contact_id, context.flow_id = find_contact_id(values), parse_id(values.get("flow_id"))
        if inbound.mode not in MODES:
            raise InvalidField.of("mode", "the address of the webhook ends in mode=sync, mode=async or mode=auto.")
        function = self.functions.get(inbound.function)
        context.answer_key = function.answer_key
        body = validate_body(function, _fill_from_settings(function, values, tenant))
        model = body.model_asked or tenant.default_model or self.settings.default_model
        context.model_asked = allowlist.canonical_id(model, tenant.base_url)
        context.memory = self.open_memory(tenant, context, body)
        return ParsedCall(function, body)

    def open_memory(self, tenant: Tenant, context: CallContext, body: FunctionBody) -> Memory | None:
        """Return the conversation of a call; None if it has no memory."""
        if body.thread_id is None:
            return None
        owner = Owner(tenant.organization_id, context.function, body.contact_id)
        return Memory.open(self.vault, owner, body.thread_id, tenant.memory_hours or DEFAULT_MEMORY_HOURS)

    def bind_model(self, tenant: Tenant, context: CallContext, deadline: Deadline) -> LanguageModel:
        """Return the call's model, bound to the organization's decrypted key. Note its fallback in the context.

        Raises GlificGptError if the organization may not use the model, if the model cannot do what the function needs,
        or if there is no active key. A fallback model that it may not use is not asked.
        """
        model = context.model_asked or ""
        # docs/errors.md promises this order.
        if not tenant.is_active:
            raise OrganizationInactive
        if tenant.ciphertext is None:
            raise CredentialMissing
        if not tenant.credential_active:
            raise CredentialInactive
        lists = (self.settings.models, tenant.server_models, tenant.allowed_models)
        # Longer lists were stored before there was a limit.
        is_long = any(patterns is not None and len(patterns) > MAX_PATTERNS for patterns in lists)

        def check_access(name: str) -> GlificGptError | None:
            return cpu_bound.run(lambda: allowlist.access_error(name, *lists), is_long=is_long)

        if refusal := check_access(model):
            raise refusal
        needs = self.functions.get(context.function).needs
        if unable := find_refusal(model, needs):
            raise unable
        context.base_url = tenant.base_url
        if context.allowance:
            context.allowance.base_url = tenant.base_url
        context.fallback_model = _find_fallback(tenant, model, needs, check_access)
        fields = credentials.decrypt(self.vault, tenant.organization_id, self.provider, tenant.ciphertext)
        # One group for all calls of the organization, in a request, after it, and from the console.
        pictures = str(tenant.organization_id) if tenant.fetch_images else None
        return self.provider.bind(fields, model, deadline, context.fallback_model, picture_group=pictures)


def _find_fallback(
    tenant: Tenant,
    model: str,
    needs: frozenset[Need],
    check_access: Callable[[str], GlificGptError | None],
) -> str | None:
    """Return the organization's fallback model, if it is another one that may be used and can do what is needed."""
    if not tenant.fallback_model:
        return None
    fallback = allowlist.canonical_id(tenant.fallback_model, tenant.base_url)
    if fallback == model or check_access(fallback) or find_refusal(fallback, needs):
        return None
    return fallback


def decode_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, whatever its Content-Type says. Raises InvalidJson.

    Glific sends `application/octet-stream` unless the author of the node adds a Content-Type.
    """
    try:
        values = decode_json(body.decode("utf-8-sig"))
    except ValueError:
        raise InvalidJson from None
    if not isinstance(values, dict):
        raise InvalidJson
    return values


def _fill_from_settings(function: Function[Any], values: dict[str, Any], tenant: Tenant) -> dict[str, Any]:
    """Return the body with the organization's settings in fields that the function takes from them."""
    missing = {name for name in function.settings if blank_to_none(values.get(name) or None) is None}
    return values | {name: getattr(tenant, name) for name in missing} if missing else values


def _require_resumable(tenant: Tenant, body: FunctionBody) -> None:
    """Check that a later answer can reach its flow. Raises MissingFlowContext and GlificNotConnected."""
    if body.flow_id is None or body.contact_id is None:
        raise MissingFlowContext(
            "A later answer needs the flow and the contact. Add both to the body of the webhook node: "
            '"contact": "@contact" and "flow_id": "@flow.id".'
        )
    if tenant.glific_way is None:
        raise GlificNotConnected
    if tenant.glific_way == "signed" and not (tenant.glific_organization_id or body.organization_id):
        raise MissingFlowContext(
            "The signed call needs the Glific organization ID. Set it in the organization's settings, or send it as "
            "organization_id."
        )
