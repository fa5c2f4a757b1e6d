"""The demo organization and the first administrator of `make run`."""

from dataclasses import dataclass
from pathlib import Path

from flask_security import hash_password
from pydantic import SecretStr

import config
from glific_gpt.accounts import administration, passwords, people
from glific_gpt.database import owned, transaction
from glific_gpt.errors import CredentialNotVerified, NotFound, NotReady
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations import tokens
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.organizations.credentials.providers import OpenAiFields
from glific_gpt.organizations.tables import Organization, WebhookToken
from glific_gpt.organizations.tokens import hash_token
from glific_gpt.services import Services

ADMINISTRATOR_EMAIL = "admin@example.org"


def ensure_administrator() -> str | None:
    """Create an administrator and return the one-time password, or None if there are users already.

    The password is shown once and must be changed at the first sign-in.
    """
    with transaction() as session:
        if administration.list_people(session):
            return None
    password = passwords.generate()
    hashed = hash_password(password)
    with transaction() as session:
        user = people.create_person(session, ADMINISTRATOR_EMAIL, administrator=True)
        user.password, user.must_change_password = hashed, True
    return password


DEMO_SLUG = "demo"
SANDBOX_KEY = SecretStr("sk-sandbox-needs-no-key")


@dataclass(frozen=True)
class Demo:
    """The demo organization, as the banner shows it."""

    token: str
    warning: str | None
    """Reason why the OpenAI key may not work."""


def ensure_demo(app: Services, instance: Path, api_key: str | None) -> Demo:
    """Create the demo organization. If it exists, only a changed key is replaced."""
    token = _ensure_token(_ensure_organization(app.settings.chosen_time_zone), instance / "demo_webhook_token")
    return Demo(token, _ensure_credential(app, SecretStr(api_key) if api_key else None))


def _ensure_organization(time_zone: str | None) -> Organization:
    with transaction() as session:
        try:
            return organizations.find(session, DEMO_SLUG)
        except NotFound:
            return organizations.create(session, DEMO_SLUG, "Demo organization", time_zone)


def _ensure_token(organization: Organization, path: Path) -> str:
    """Return the token in the file if it is valid, or create one. Only `make run` keeps a token in a file."""
    token = path.read_text().strip() if path.exists() else ""
    with transaction() as session:
        query = owned(WebhookToken, organization.id).where(WebhookToken.token_hash == hash_token(token))
        if session.scalar(query) is None:
            _, token = tokens.create_webhook_token(session, organization, "make run")
            config.write_secret(path, token, replace=True)
    return token


def _ensure_credential(app: Services, api_key: SecretStr | None) -> str | None:
    """Save the key if the organization has none or another one. Returns a warning if OpenAI does not accept it."""
    current = _current_key(app)
    key = api_key or current or SANDBOX_KEY
    if current == key:
        return None
    try:
        _save_key(app, key, verify=True)
    except CredentialNotVerified as error:
        # Save it anyway, so that the demo organization is complete and the banner can explain the problem.
        _save_key(app, key, verify=False)
        return str(error).removeprefix("Nothing was saved. ")
    return None


def _current_key(app: Services) -> SecretStr | None:
    with transaction() as session:
        organization = organizations.find(session, DEMO_SLUG)
        try:
            row = credentials.find(session, organization.id, app.model_provider)
        except NotFound:
            return None
    try:
        fields = credentials.decrypt(app.vault, organization.id, app.model_provider, row.ciphertext)
    except NotReady:  # the secrets in instance/ were deleted, but the database was not
        return None
    return fields.api_key if isinstance(fields, OpenAiFields) else None


def _save_key(app: Services, api_key: SecretStr, *, verify: bool) -> None:
    values = {"api_key": api_key}
    credentials.save_credential(app.vault, DEMO_SLUG, app.model_provider, values, is_active=True, verify=verify)
