"""Creation and verification of an organization's connection to Glific."""

from pydantic import SecretStr

from glific_gpt.audit.actions import Action
from glific_gpt.clock import Deadline, now
from glific_gpt.database import transaction
from glific_gpt.errors import GlificNotVerified, InvalidValue
from glific_gpt.glific.client import GlificClient
from glific_gpt.glific.resumption import Access, ApiAccess, SignedAccess
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.connections import store
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.vault import Vault

VERIFY_SECONDS = 10
"""Time limit for the verification of a connection at Glific."""


def connect_by_api(
    vault: Vault, glific: GlificClient, slug: str, *, api_url: str, phone: str, password: SecretStr, verify: bool = True
) -> GlificConnection:
    """Create or replace an organization's connection with a login. With `verify`, the login is tested at Glific first.

    Raises NotFound, InvalidValue, GlificNotVerified, GlificUnreachable and RateLimited. Nothing is changed then.
    """
    with transaction() as session:
        organization_id = organizations.find(session, slug).id
    url = glific.validate_url(api_url)
    login = store.validate_login(phone, password)
    # Between two transactions, because no transaction may be open during a network request.
    if verify:
        _verify(glific, organization_id, ApiAccess(url, login.phone, login.password))
    return _save(organization_id, url, "api", store.encrypt(vault, organization_id, login), verified=verify)


def connect_by_signed_call(
    vault: Vault, glific: GlificClient, slug: str, *, api_url: str, verify: bool = True
) -> GlificConnection:
    """Create or replace an organization's connection with calls signed with its phrase.

    Raises NotFound, InvalidValue, GlificNotVerified, GlificUnreachable and RateLimited. Nothing is changed then.
    """
    with transaction() as session:
        organization = organizations.find(session, slug)
    url = glific.validate_url(api_url)
    phrase = store.decrypt_phrase(vault, organization)
    if phrase is None:
        raise InvalidValue(
            "The signed call needs the organization's webhook signature, which is not set. Set it: "
            f"flask signature set {slug} --phrase-stdin."
        )
    if verify:
        # Only the address is verified. If no Glific id is set, each call sends it, so 0 is used here.
        access = SignedAccess(url, phrase, organization.glific_organization_id or 0)
        _verify(glific, organization.id, access)
    return _save(organization.id, url, "signed", None, verified=verify)


def recheck_connection(vault: Vault, glific: GlificClient, slug: str) -> None:
    """Test the saved connection.

    Raises NotFound, GlificNotConnected, GlificNotVerified, GlificUnreachable, NotReady and RateLimited.
    """
    with transaction() as session:
        organization = organizations.find(session, slug)
        connection = store.find(session, organization.id)
        # If no Glific id is set, each call sends it, so 0 is used here.
        access = store.load_access(session, vault, organization.id, organization.glific_organization_id or 0)
    glific.count_test(organization.id)
    glific.verify(access, Deadline.after(VERIFY_SECONDS))
    with transaction() as session:
        current = store.find_or_none(session, organization.id)
        if current and current.updated_at == connection.updated_at:  # not replaced during the test
            current.verified_at = now()


def _verify(glific: GlificClient, organization_id: int, access: Access) -> None:
    glific.count_test(organization_id)
    try:
        glific.verify(access, Deadline.after(VERIFY_SECONDS))
    except GlificNotVerified as error:
        raise type(error)(
            f"Nothing was saved. {error} To save the connection without asking Glific, use --no-verify, "
            'or "verify": false in the JSON API.',
            reason=str(error),
        ) from None


def _save(
    organization_id: int, api_url: str, method: str, ciphertext: str | None, *, verified: bool
) -> GlificConnection:
    with transaction() as session:
        connection = store.find_or_none(session, organization_id) or GlificConnection(organization_id=organization_id)
        connection.api_url, connection.way, connection.ciphertext = api_url, method, ciphertext
        connection.verified_at = now() if verified else None
        session.add(connection)
        store.record(session, Action.GLIFIC_CONNECTED, connection)
    return connection
