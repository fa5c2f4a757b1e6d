"""The administrator of `make run`: made once, with a password that is said once and must be changed."""

from dataclasses import dataclass
from pathlib import Path

from flask_security import hash_password
from pydantic import SecretStr

import config
from glific_gpt.accounts import passwords, people
from glific_gpt.credentials import store as credentials
from glific_gpt.credentials.providers import OpenAiFields
from glific_gpt.database import owned, transaction
from glific_gpt.errors import CredentialNotVerified, NotFound
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations import tokens
from glific_gpt.organizations.tables import Organization, WebhookToken
from glific_gpt.organizations.tokens import token_hash
from glific_gpt.services import Services
from glific_gpt.vault import UnreadableSecret

ADMINISTRATOR_EMAIL = "admin@example.org"


def ensure_administrator() -> str | None:
    """The password of an administrator who was just made; None where there are people already."""
    with transaction() as session:
        if people.every(session):
            return None
    password = passwords.made_up()
    hashed = hash_password(password)
    with transaction() as session:
        user = people.create(session, ADMINISTRATOR_EMAIL, administrator=True)
        user.password, user.must_change_password = hashed, True
    return password


DEMO_SLUG = "demo"
SANDBOX_KEY = SecretStr("sk-sandbox-needs-no-key")


@dataclass(frozen=True)
class Demo:
    """What the banner says of it."""

    token: str
    warning: str | None
    """Why the key may not work."""


def ensure_demo(app: Services, instance: Path, api_key: str | None) -> Demo:
    """The demo organization; what is there already stays as it is, except for a key that has changed."""
    token = _token(_organization(), instance / "demo_webhook_token")
    return Demo(token, _credential(app, SecretStr(api_key) if api_key else None))


def _organization() -> Organization:
    with transaction() as session:
        try:
            return organizations.find(session, DEMO_SLUG)
        except NotFound:
            return organizations.create(session, DEMO_SLUG, "Demo organization")


def _token(organization: Organization, path: Path) -> str:
    """The token in the file while it opens the door; else a new one. Only `make run` keeps a token in a file."""
    token = path.read_text().strip() if path.exists() else ""
    with transaction() as session:
        known = owned(WebhookToken, organization.id).where(WebhookToken.token_hash == token_hash(token))
        if session.scalar(known) is None:
            _, token = tokens.create_webhook_token(session, organization, "make run")
            config.write_secret(path, token, replace=True)
    return token


def _credential(app: Services, api_key: SecretStr | None) -> str | None:
    """Gives the organization its key, if it has none or another one. Returns what is wrong with it, if anything."""
    current = _current_key(app)
    wanted = api_key or current or SANDBOX_KEY
    if current == wanted:
        return None
    try:
        _put(app, wanted, verify=True)
    except CredentialNotVerified as error:
        _put(app, wanted, verify=False)
        return str(error).removeprefix("Nothing was saved. ")
    return None


def _current_key(app: Services) -> SecretStr | None:
    with transaction() as session:
        organization = organizations.find(session, DEMO_SLUG)
        try:
            row = credentials.find(session, organization.id, app.language_models)
        except NotFound:
            return None
    try:
        fields = credentials.decrypt(app.vault, organization.id, app.language_models, row.ciphertext)
    except UnreadableSecret:  # the secrets were made anew, the database was not
        return None
    return fields.api_key if isinstance(fields, OpenAiFields) else None


def _put(app: Services, api_key: SecretStr, *, verify: bool) -> None:
    values = {"api_key": api_key}
    credentials.put(app.vault, DEMO_SLUG, app.language_models, values, is_active=True, verify=verify)
