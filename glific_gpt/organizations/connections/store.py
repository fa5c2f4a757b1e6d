"""Storage of connections and of logins at Glific. A login is encrypted at rest and decrypted only for its use."""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import owned
from glific_gpt.errors import N_, GlificNotConnected, InvalidValue, NotFound, NotReady
from glific_gpt.glific.resumption import Access, ApiAccess, SignedAccess
from glific_gpt.organizations import signature
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import Vault

PURPOSE = "glific_connection"
MAX_PASSWORD_LENGTH = 1000

# E.164: a country code, which never starts with 0, and at most 15 digits in total.
_PHONE = re.compile(r"[1-9][0-9]{6,14}")


@dataclass(frozen=True)
class GlificLogin:
    """Login of a Glific user with the role manager or higher."""

    phone: str = field(repr=False)
    """Digits only, with the country code, as Glific stores it."""
    password: SecretStr = field(repr=False)


def validate_login(phone: str, password: SecretStr) -> GlificLogin:
    """Normalize the phone number (+91 98765 43210 is accepted) and validate the login.

    Raises InvalidValue. Its message never contains the input.
    """
    digits = re.sub(r"[\s-]", "", phone).removeprefix("+")
    if not _PHONE.fullmatch(digits):
        raise InvalidValue(
            N_("phone: this is not a phone number. Write it with its country code, such as +91 98765 43210.")
        )
    length = len(password.get_secret_value())
    if length > MAX_PASSWORD_LENGTH or not password.get_secret_value().strip():
        raise InvalidValue(f"password: it is empty or too long. Use at most {MAX_PASSWORD_LENGTH} characters.")
    return GlificLogin(digits, password)


def encrypt(vault: Vault, organization_id: int, login: GlificLogin) -> str:
    """Return the ciphertext of the login, for `decrypt`."""
    plain = {"phone": login.phone, "password": login.password.get_secret_value()}
    return vault.encrypt(organization_id, PURPOSE, json.dumps(plain))


def decrypt(vault: Vault, organization_id: int, ciphertext: str) -> GlificLogin:
    """Return the login. Do not keep it longer than its use. Raises NotReady."""
    plain = json.loads(vault.decrypt(organization_id, PURPOSE, ciphertext))
    return GlificLogin(plain["phone"], SecretStr(plain["password"]))


def find_or_none(session: Session, organization_id: int) -> GlificConnection | None:
    """Return the organization's connection, or None."""
    return session.scalar(owned(GlificConnection, organization_id))


def find(session: Session, organization_id: int) -> GlificConnection:
    """Return the organization's connection. Raises NotFound."""
    connection = find_or_none(session, organization_id)
    if connection is None:
        raise NotFound("This organization is not connected to Glific. Connect it first.")
    return connection


def disconnect(session: Session, organization_id: int) -> None:
    """Delete the connection. Later answers are no longer delivered. Raises NotFound."""
    connection = find(session, organization_id)
    session.delete(connection)
    record(session, Action.GLIFIC_DISCONNECTED, connection)


def record(session: Session, action: Action, connection: GlificConnection) -> None:
    """Add an audit entry with the method and the host, without any secret."""
    host = urlsplit(connection.api_url).hostname
    trail.record(session, action, connection.organization_id, way=connection.way, host=host)


def phone_last4(vault: Vault, connection: GlificConnection | None) -> str | None:
    """Return the last four digits of the login's phone, or None if there is no login or it cannot be read."""
    if connection is None or connection.ciphertext is None:
        return None
    try:
        return _decrypt_login(vault, connection).phone[-4:]
    except NotReady:
        return None


def load_access(session: Session, vault: Vault, organization_id: int, glific_organization_id: int | None) -> Access:
    """Return the decrypted data that Glific's client needs. Do not keep it longer than its use.

    `glific_organization_id` comes from the call and is used if the organization has none set.
    Raises GlificNotConnected, whose message says what is missing, and NotReady.
    """
    connection = find_or_none(session, organization_id)
    if connection is None:
        raise GlificNotConnected
    if connection.way == "api":
        return _api_access(vault, connection)
    organization = session.get_one(Organization, organization_id)
    return _signed_access(vault, connection, organization, glific_organization_id)


def decrypt_phrase(vault: Vault, organization: Organization) -> SecretStr | None:
    """Return the signature phrase, or None if it is not set. Raises NotReady."""
    if organization.signature_phrase is None:
        return None
    return SecretStr(vault.decrypt(organization.id, signature.PURPOSE, organization.signature_phrase))


def _api_access(vault: Vault, connection: GlificConnection) -> ApiAccess:
    login = _decrypt_login(vault, connection)
    return ApiAccess(connection.api_url, login.phone, login.password)


def _signed_access(
    vault: Vault, connection: GlificConnection, organization: Organization, id_from_call: int | None
) -> SignedAccess:
    phrase = decrypt_phrase(vault, organization)
    if phrase is None:
        raise GlificNotConnected(
            "The signed call to Glific needs the organization's webhook signature, which is not set. Set it."
        )
    glific_id = organization.glific_organization_id or id_from_call
    if glific_id is None:
        raise GlificNotConnected(
            "The signed call to Glific needs Glific's id of the organization. Set the Glific organization id."
        )
    return SignedAccess(connection.api_url, phrase, glific_id)


def _decrypt_login(vault: Vault, connection: GlificConnection) -> GlificLogin:
    return decrypt(vault, connection.organization_id, connection.ciphertext or "")
