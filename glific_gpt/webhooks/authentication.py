"""The raw body of a webhook, which its signature signs; never more than a mebibyte of it."""

import secrets

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.errors import BodyTooLarge, InvalidJson, Unauthorized
from glific_gpt.glific.signature import is_valid
from glific_gpt.organizations.signature import PURPOSE
from glific_gpt.settings import MAX_BODY_BYTES
from glific_gpt.vault import UnreadableSecret, Vault


def raw_body(request: Request) -> bytes:
    """Raises BodyTooLarge, InvalidJson."""
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise BodyTooLarge from None
    except ClientDisconnected:
        raise InvalidJson from None
    # Of a body without Content-Length, Werkzeug reads as much as it may and says nothing of the rest.
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge
    return body


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
