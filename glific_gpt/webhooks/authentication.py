"""Who calls: a webhook token of the organization, or Glific's signature under its phrase."""

import secrets

from flask import Request

from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.errors import Unauthorized
from glific_gpt.glific.signature import is_valid
from glific_gpt.organizations.signature import PURPOSE
from glific_gpt.vault import UnreadableSecret, Vault
from glific_gpt.webhooks.bodies import raw_body

SIGNATURE_HEADER = "X-Glific-Signature"
NOBODYS_PHRASE = secrets.token_hex()


def bearer_token(request: Request) -> str:
    """The token in the Authorization header; empty when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def require_caller(tenant: Tenant | None, request: Request, vault: Vault) -> Tenant:
    """The tenant, when the caller may speak for it. Raises Unauthorized, whatever the reason, and BodyTooLarge."""
    if tenant is not None and tenant.token_matches and not tenant.require_signature:
        return tenant
    header = request.headers.get(SIGNATURE_HEADER)
    if header is None:
        raise Unauthorized
    # Read for unknown organizations too: a body that is too large must not tell them from others.
    body = raw_body(request)
    phrase = _phrase(tenant, vault) if tenant else None
    # Computed in any case: how long the answer takes must not tell which organizations there are.
    signed = is_valid(header, phrase or NOBODYS_PHRASE, body, now())
    if tenant is None or phrase is None or not signed:
        raise Unauthorized
    return tenant


def _phrase(tenant: Tenant, vault: Vault) -> str | None:
    if tenant.signature_phrase is None:
        return None
    try:
        return vault.decrypt(tenant.organization_id, PURPOSE, tenant.signature_phrase)
    except UnreadableSecret:
        return None
