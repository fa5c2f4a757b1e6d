"""Connecting an organization to its Glific: created or replaced, once Glific has been asked."""

from pydantic import SecretStr

from glific_gpt.audit.actions import Action
from glific_gpt.clock import Deadline, now
from glific_gpt.connections import store
from glific_gpt.connections import store as logins
from glific_gpt.connections.tables import GlificConnection
from glific_gpt.database import transaction
from glific_gpt.errors import GlificGptError, GlificNotVerified, InvalidValue
from glific_gpt.glific.client import GlificClient
from glific_gpt.glific.resumption import Access, ApiAccess, SignedAccess
from glific_gpt.organizations import store as organizations
from glific_gpt.vault import Vault

VERIFY_SECONDS = 10
"""How long Glific may take to say what it thinks of a connection."""


def connect_by_api(
    vault: Vault, glific: GlificClient, slug: str, *, api_url: str, phone: str, password: SecretStr, verify: bool = True
) -> GlificConnection:
    """Creates or replaces an organization's connection with a login, verified at Glific first unless told not to.

    Raises NotFound, InvalidValue, and GlificNotVerified, after which everything is as before.
    """
    with transaction() as session:
        organization_id = organizations.find(session, slug).id
    url = glific.validate_url(api_url)
    login = logins.validate_login(phone, password)
    if verify:
        _verify(glific, ApiAccess(url, login.phone, login.password))
    return _save(organization_id, url, "api", logins.encrypt(vault, organization_id, login), verified=verify)


def connect_by_signed_call(
    vault: Vault, glific: GlificClient, slug: str, *, api_url: str, verify: bool = True
) -> GlificConnection:
    """Creates or replaces it with the call that is signed with the organization's phrase, which stays where it is.

    Raises NotFound, InvalidValue, and GlificNotVerified, after which everything is as before.
    """
    with transaction() as session:
        organization = organizations.find(session, slug)
    url = glific.validate_url(api_url)
    phrase = store.decrypt_phrase(vault, organization)
    if phrase is None:
        raise InvalidValue(
            "The signed call needs the organization's signature phrase, which is not set or cannot be read: "
            f"flask signature set {slug} --phrase-stdin."
        )
    if verify:
        # Nothing is signed yet: Glific's id of the organization may come with each call instead.
        _verify(glific, SignedAccess(url, phrase, organization.glific_organization_id or 0))
    return _save(organization.id, url, "signed", None, verified=verify)


def recheck_connection(vault: Vault, glific: GlificClient, slug: str) -> None:
    """Asks Glific anew whether the connection is good. Raises NotFound, GlificNotConnected and GlificNotVerified."""
    with transaction() as session:
        organization = organizations.find(session, slug)
        connection = store.find(session, organization.id)
        # As when it is verified: Glific's id of the organization may come with each call instead.
        access = store.load_access(session, vault, organization.id, organization.glific_organization_id or 0)
    glific.verify(access, Deadline.after(VERIFY_SECONDS))
    with transaction() as session:
        fresh = store.find_or_none(session, organization.id)
        if fresh and fresh.updated_at == connection.updated_at:  # it may have been replaced meanwhile
            fresh.verified_at = now()


def _verify(glific: GlificClient, wanted: Access) -> None:
    try:
        glific.verify(wanted, Deadline.after(VERIFY_SECONDS))
    except GlificGptError as error:
        raise GlificNotVerified(
            f"Nothing was saved. {error} To save the connection without asking Glific, say --no-verify, "
            'or "verify": false over the JSON API.',
            reason=str(error),
        ) from None


def _save(organization_id: int, api_url: str, way: str, ciphertext: str | None, *, verified: bool) -> GlificConnection:
    with transaction() as session:
        connection = store.find_or_none(session, organization_id) or GlificConnection(organization_id=organization_id)
        connection.api_url, connection.way, connection.ciphertext = api_url, way, ciphertext
        connection.verified_at = now() if verified else None
        session.add(connection)
        store.record(session, Action.GLIFIC_CONNECTED, connection)
    return connection
