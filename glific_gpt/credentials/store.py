"""Credentials: written, replaced, switched, deleted; the only file that decrypts a key."""

import json

from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import Deadline, now
from glific_gpt.credentials.providers import KeyCheckResult, Provider, SecretFields, read_fields
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import owned, transaction
from glific_gpt.errors import CredentialMissing, CredentialNotVerified, GlificGptError, NotFound
from glific_gpt.organizations import store as organizations
from glific_gpt.vault import UnreadableSecret, Vault

VERIFY_SECONDS = 10
"""How long a provider may take to say what it thinks of a key."""


def save_credential(
    vault: Vault,
    slug: str,
    provider: Provider,
    values: dict[str, SecretStr],
    *,
    is_active: bool,
    verify: bool,
) -> Credential:
    """Creates or replaces an organization's credential, verified at the provider first unless told not to.

    Raises NotFound, InvalidValue, and CredentialNotVerified, after which everything is as before.
    """
    with transaction() as session:
        organization_id = organizations.find(session, slug).id
    fields = read_fields(provider, values)
    verdict = _verify(provider, fields) if verify else None
    with transaction() as session:
        credential = find_or_none(session, organization_id, provider) or Credential(
            organization_id=organization_id, provider=provider.name
        )
        _fill(credential, vault, provider, fields, verdict)
        credential.is_active = is_active
        session.add(credential)
        _record_saved(session, credential)
    return credential


def find_or_none(session: Session, organization_id: int, provider: Provider) -> Credential | None:
    """None when the organization has no key there yet."""
    return session.scalar(owned(Credential, organization_id).where(Credential.provider == provider.name))


def find(session: Session, organization_id: int, provider: Provider) -> Credential:
    """Raises NotFound."""
    found = find_or_none(session, organization_id, provider)
    if found is None:
        raise NotFound(f"This organization has no key for {provider.label} yet.")
    return found


def set_active(session: Session, organization_id: int, provider: Provider, *, is_active: bool) -> Credential:
    """On or off, from the next call on. Raises NotFound."""
    credential = find(session, organization_id, provider)
    if credential.is_active != is_active:
        credential.is_active = is_active
        session.flush()
        action = Action.CREDENTIAL_ACTIVATED if is_active else Action.CREDENTIAL_DEACTIVATED
        trail.record(session, action, organization_id, provider=provider.name, last4=credential.last4)
    return credential


def delete(session: Session, organization_id: int, provider: Provider) -> None:
    """The key is gone with the next call. Raises NotFound."""
    credential = find(session, organization_id, provider)
    session.delete(credential)
    trail.record(session, Action.CREDENTIAL_DELETED, organization_id, provider=provider.name, last4=credential.last4)


def decrypt(vault: Vault, organization_id: int, provider: Provider, ciphertext: str) -> SecretFields:
    """The provider's fields; let them live no longer than the call. Raises UnreadableSecret."""
    return provider.fields(**json.loads(vault.decrypt(organization_id, provider.name, ciphertext)))


def _fill(
    credential: Credential, vault: Vault, provider: Provider, fields: SecretFields, verdict: KeyCheckResult | None
) -> None:
    plain = {name: getattr(fields, name).get_secret_value() for name in provider.fields.model_fields}
    credential.ciphertext = vault.encrypt(credential.organization_id, provider.name, json.dumps(plain))
    credential.last4 = provider.last4(fields)
    credential.verified_at = now() if verdict else None
    credential.models = verdict.models if verdict else None


def _record_saved(session: Session, credential: Credential) -> None:
    trail.record(
        session,
        Action.CREDENTIAL_SAVED,
        credential.organization_id,
        provider=credential.provider,
        last4=credential.last4,
        is_active=credential.is_active,
        verified=credential.verified_at is not None,
    )


def _verify(provider: Provider, fields: SecretFields) -> KeyCheckResult:
    try:
        return provider.verify(fields, Deadline.after(VERIFY_SECONDS))
    except GlificGptError as error:
        raise CredentialNotVerified(
            f"Nothing was saved. {error} To save the key without asking {provider.label}, "
            'say --no-verify, or "verify": false over the JSON API.',
            reason=str(error),
        ) from None


def check_typed_key(provider: Provider, values: dict[str, SecretStr]) -> KeyCheckResult:
    """Raises InvalidValue for what can be no key, and what the provider says of one that it does not accept."""
    return _ask(provider, read_fields(provider, values))


def check_saved_key(vault: Vault, organization_id: int, provider: Provider) -> KeyCheckResult:
    """Raises CredentialMissing, and what the provider says of a key that it does not accept."""
    with transaction() as session:
        credential = find_or_none(session, organization_id, provider)
    return _ask(provider, _fields(vault, provider, credential))


def recheck_saved_key(vault: Vault, organization_id: int, provider: Provider) -> KeyCheckResult:
    """Asks about the saved key, and keeps which models it reaches now. Raises as `about_saved`."""
    with transaction() as session:
        asked = find_or_none(session, organization_id, provider)
    verdict = _ask(provider, _fields(vault, provider, asked))
    with transaction() as session:
        if asked:
            _keep(session, asked, verdict)
    return verdict


def _keep(session: Session, asked: Credential, verdict: KeyCheckResult) -> None:
    """Not where another key was saved meanwhile, of which nothing was asked."""
    same = (Credential.id == asked.id, Credential.ciphertext == asked.ciphertext)
    # When it was saved says since when OpenAI's complaints count, so it stays.
    kept = {"verified_at": now(), "models": verdict.models, "updated_at": Credential.updated_at}
    session.execute(update(Credential).where(*same).values(kept))


def _ask(provider: Provider, fields: SecretFields) -> KeyCheckResult:
    return provider.verify(fields, Deadline.after(VERIFY_SECONDS))


def _fields(vault: Vault, provider: Provider, credential: Credential | None) -> SecretFields:
    if credential is None:
        raise CredentialMissing
    try:
        return decrypt(vault, credential.organization_id, provider, credential.ciphertext)
    except UnreadableSecret:
        raise CredentialMissing("The saved key cannot be read any more: enter it once again.") from None
