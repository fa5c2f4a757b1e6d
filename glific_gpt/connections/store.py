"""Connections to Glific: found, ended, and read for the client; the only file that decrypts a login."""

from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.connections import login as logins
from glific_gpt.connections.tables import GlificConnection
from glific_gpt.database import owned
from glific_gpt.errors import GlificNotConnected, NotFound
from glific_gpt.glific.access import Access, ApiAccess, SignedAccess
from glific_gpt.organizations import signature
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import UnreadableSecret, Vault


def find_if_any(session: Session, organization_id: int) -> GlificConnection | None:
    """None when the organization is not connected."""
    return session.scalar(owned(GlificConnection, organization_id))


def find(session: Session, organization_id: int) -> GlificConnection:
    """Raises NotFound."""
    found = find_if_any(session, organization_id)
    if found is None:
        raise NotFound("This organization is not connected to Glific.")
    return found


def disconnect(session: Session, organization_id: int) -> None:
    """Its waiting flows are not reached any more. Raises NotFound."""
    connection = find(session, organization_id)
    session.delete(connection)
    record(session, Action.GLIFIC_DISCONNECTED, connection)


def record(session: Session, action: Action, connection: GlificConnection) -> None:
    """In the trail, with the way and the host alone."""
    host = urlsplit(connection.api_url).hostname
    trail.record(session, action, connection.organization_id, way=connection.way, host=host)


def phone_last4(vault: Vault, connection: GlificConnection | None) -> str | None:
    """The last four digits of the login's phone; None where there is no login, or none that can be read."""
    if connection is None or connection.ciphertext is None:
        return None
    try:
        return _login(vault, connection).phone[-4:]
    except UnreadableSecret:
        return None


def access(session: Session, vault: Vault, organization_id: int, glific_organization_id: int | None) -> Access:
    """What Glific's client needs at this moment, decrypted; let it live no longer than it is used.

    `glific_organization_id` is the one that came with the call, for an organization that has none set.
    Raises GlificNotConnected, which says what is missing.
    """
    connection = find_if_any(session, organization_id)
    if connection is None:
        raise GlificNotConnected
    if connection.way == "api":
        return _by_api(vault, connection)
    organization = session.get_one(Organization, organization_id)
    return _by_signed_call(vault, connection, organization, glific_organization_id)


def phrase_of(vault: Vault, organization: Organization) -> SecretStr | None:
    """None where it is not set, or cannot be read under the present encryption keys."""
    try:
        return SecretStr(vault.decrypt(organization.id, signature.PURPOSE, organization.signature_phrase or ""))
    except UnreadableSecret:
        return None


def _by_api(vault: Vault, connection: GlificConnection) -> ApiAccess:
    try:
        login = _login(vault, connection)
    except UnreadableSecret:
        raise GlificNotConnected(
            "The login at Glific cannot be read with the server's encryption keys: connect the organization anew."
        ) from None
    return ApiAccess(connection.api_url, login.phone, login.password)


def _by_signed_call(
    vault: Vault, connection: GlificConnection, organization: Organization, from_call: int | None
) -> SignedAccess:
    phrase = phrase_of(vault, organization)
    if phrase is None:
        raise GlificNotConnected(
            "The signed call to Glific needs the organization's signature phrase, which is not set any more or "
            "cannot be read: set it again."
        )
    glific_id = organization.glific_organization_id or from_call
    if glific_id is None:
        raise GlificNotConnected(
            "The signed call to Glific needs Glific's own id of the organization: set its Glific organization id."
        )
    return SignedAccess(connection.api_url, phrase, glific_id)


def _login(vault: Vault, connection: GlificConnection) -> logins.Login:
    return logins.decrypt(vault, connection.organization_id, connection.ciphertext or "")
