"""The login at Glific: checked when it is given, kept as ciphertext, read again for the moment in which it is used."""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.connections.tables import GlificConnection
from glific_gpt.database import owned
from glific_gpt.errors import N_, GlificNotConnected, InvalidValue, NotFound
from glific_gpt.glific.resumption import Access, ApiAccess, SignedAccess
from glific_gpt.organizations import signature
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import UnreadableSecret, Vault

PURPOSE = "glific_connection"
MAX_PASSWORD_LENGTH = 1000

# As E.164 has it: a country code, which never begins with 0, and at most 15 digits in all.
_PHONE = re.compile(r"[1-9][0-9]{6,14}")


@dataclass(frozen=True)
class GlificLogin:
    """Somebody's at Glific, of role manager or higher."""

    phone: str = field(repr=False)
    """Digits alone, as Glific keeps it, with the country code."""
    password: SecretStr = field(repr=False)


def validate_login(phone: str, password: SecretStr) -> GlificLogin:
    """A phone may be written as people do: +91 98765 43210. Raises InvalidValue, which never holds what was typed."""
    digits = re.sub(r"[\s-]", "", phone).removeprefix("+")
    if not _PHONE.fullmatch(digits):
        raise InvalidValue(N_("phone: write the number with its country code, such as +91 98765 43210."))
    length = len(password.get_secret_value())
    if length > MAX_PASSWORD_LENGTH or not password.get_secret_value().strip():
        raise InvalidValue(f"password: it must not be blank, and has {MAX_PASSWORD_LENGTH} characters at most.")
    return GlificLogin(digits, password)


def encrypt(vault: Vault, organization_id: int, login: GlificLogin) -> str:
    plain = {"phone": login.phone, "password": login.password.get_secret_value()}
    return vault.encrypt(organization_id, PURPOSE, json.dumps(plain))


def decrypt(vault: Vault, organization_id: int, ciphertext: str) -> GlificLogin:
    """Let it live no longer than it is used. Raises UnreadableSecret."""
    plain = json.loads(vault.decrypt(organization_id, PURPOSE, ciphertext))
    return GlificLogin(plain["phone"], SecretStr(plain["password"]))


def find_or_none(session: Session, organization_id: int) -> GlificConnection | None:
    """None when the organization is not connected."""
    return session.scalar(owned(GlificConnection, organization_id))


def find(session: Session, organization_id: int) -> GlificConnection:
    """Raises NotFound."""
    found = find_or_none(session, organization_id)
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


def load_access(session: Session, vault: Vault, organization_id: int, glific_organization_id: int | None) -> Access:
    """What Glific's client needs at this moment, decrypted; let it live no longer than it is used.

    `glific_organization_id` is the one that came with the call, for an organization that has none set.
    Raises GlificNotConnected, which says what is missing.
    """
    connection = find_or_none(session, organization_id)
    if connection is None:
        raise GlificNotConnected
    if connection.way == "api":
        return _by_api(vault, connection)
    organization = session.get_one(Organization, organization_id)
    return _by_signed_call(vault, connection, organization, glific_organization_id)


def decrypt_phrase(vault: Vault, organization: Organization) -> SecretStr | None:
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
    phrase = decrypt_phrase(vault, organization)
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


def _login(vault: Vault, connection: GlificConnection) -> GlificLogin:
    return decrypt(vault, connection.organization_id, connection.ciphertext or "")
