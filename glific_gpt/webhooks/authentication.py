"""Authentication of webhook callers: a webhook token of the organization, or Glific's signature over the raw body."""

import secrets
from functools import lru_cache

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.errors import MSG_INCOMPLETE_BODY, BodyTooLarge, InvalidJson, NotReady, Unauthorized
from glific_gpt.glific.signature import SignatureCheck, is_current
from glific_gpt.organizations.signature import PURPOSE
from glific_gpt.settings import MAX_BODY_BYTES
from glific_gpt.vault import NO_ORGANIZATION, RETRY_AFTER_SECONDS, Vault

SIGNATURE_HEADER = "X-Glific-Signature"
UNKNOWN_PHRASE = secrets.token_hex()
"""A random phrase that no caller knows, for organizations without a phrase."""


SIGNATURE_CHECK = "glific_gpt.signature_check"
"""Key of the WSGI environment: the check that has authenticated the caller by its signature."""


def bearer_token(request: Request) -> str:
    """Return the token of the Authorization header, or an empty string."""
    return read_bearer_token(request.headers.get("Authorization", ""))


def read_bearer_token(header: str) -> str:
    """Return the token of an Authorization header, or an empty string."""
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def raw_body(request: Request) -> bytes:
    """Return the bytes of the body, which the signature signs. Raises BodyTooLarge (over 1 MiB) and InvalidJson."""
    # Werkzeug truncates a body without Content-Length at the limit, and raises nothing.
    request.max_content_length = MAX_BODY_BYTES + (request.content_length is None)
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise BodyTooLarge from None
    except ClientDisconnected:
        raise InvalidJson(MSG_INCOMPLETE_BODY) from None
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge
    return body


def authenticate(tenant: Tenant | None, request: Request, vault: Vault) -> Tenant:
    """Return the tenant if the caller may act for it.

    Raises Unauthorized, the same for every reason and for unknown organizations, BodyTooLarge, and NotReady instead of
    Unauthorized while this process lacks the key of a phrase.
    """
    if tenant is not None and tenant.token_id is not None and not tenant.require_signature:
        return tenant
    header = request.headers.get(SIGNATURE_HEADER)
    # Checked before the body, which is otherwise not read. This is the same for every organization.
    if header is None or not is_current(header, now()):
        raise Unauthorized
    # The body is read for unknown organizations too: an error about its size must not reveal which ones exist.
    body = raw_body(request)
    try:
        phrase = _decrypt_phrase(tenant, vault)
    except NotReady:
        phrase = None
    # The signature is computed in every case: the time of the answer must not reveal which organizations exist, or use
    # signatures.
    check = SignatureCheck(phrase or UNKNOWN_PHRASE)
    is_signed = check.is_valid(header, body, now())
    if tenant is None or phrase is None or not is_signed:
        # The server may be at fault. All signed calls that are refused get the same answer then, also those for unknown
        # organizations: otherwise the answer would reveal which ones exist.
        raise NotReady(retry_after=RETRY_AFTER_SECONDS) if vault.has_failed(PURPOSE) else Unauthorized()
    request.environ[SIGNATURE_CHECK] = check
    return tenant


def _decrypt_phrase(tenant: Tenant | None, vault: Vault) -> str | None:
    """Return the tenant's phrase. If there is none, another ciphertext is decrypted, which takes as long."""
    if tenant is None or tenant.signature_phrase is None:
        vault.decrypt(NO_ORGANIZATION, PURPOSE, _encrypt_unknown_phrase(vault))
        return None
    return vault.decrypt(tenant.organization_id, PURPOSE, tenant.signature_phrase)


@lru_cache(maxsize=1)  # a process has one vault
def _encrypt_unknown_phrase(vault: Vault) -> str:
    return vault.encrypt(NO_ORGANIZATION, PURPOSE, UNKNOWN_PHRASE)
