"""The login at Glific: checked when it is given, kept as ciphertext, read again for the moment in which it is used."""

import json
import re
from dataclasses import dataclass, field

from pydantic import SecretStr

from glific_gpt.errors import N_, InvalidValue
from glific_gpt.vault import Vault

PURPOSE = "glific_connection"
MAX_PASSWORD = 1000

# As E.164 has it: a country code, which never begins with 0, and at most 15 digits in all.
_PHONE = re.compile(r"[1-9][0-9]{6,14}")


@dataclass(frozen=True)
class Login:
    """Somebody's at Glific, of role manager or higher."""

    phone: str = field(repr=False)
    """Digits alone, as Glific keeps it, with the country code."""
    password: SecretStr = field(repr=False)


def checked(phone: str, password: SecretStr) -> Login:
    """A phone may be written as people do: +91 98765 43210. Raises InvalidValue, which never holds what was typed."""
    digits = re.sub(r"[\s-]", "", phone).removeprefix("+")
    if not _PHONE.fullmatch(digits):
        raise InvalidValue(N_("phone: write the number with its country code, such as +91 98765 43210."))
    length = len(password.get_secret_value())
    if length > MAX_PASSWORD or not password.get_secret_value().strip():
        raise InvalidValue(f"password: it must not be blank, and has {MAX_PASSWORD} characters at most.")
    return Login(digits, password)


def encrypt(vault: Vault, organization_id: int, login: Login) -> str:
    plain = {"phone": login.phone, "password": login.password.get_secret_value()}
    return vault.encrypt(organization_id, PURPOSE, json.dumps(plain))


def decrypt(vault: Vault, organization_id: int, ciphertext: str) -> Login:
    """Let it live no longer than it is used. Raises UnreadableSecret."""
    plain = json.loads(vault.decrypt(organization_id, PURPOSE, ciphertext))
    return Login(plain["phone"], SecretStr(plain["password"]))
