"""Storage of credentials. This is the only module that decrypts a key."""

import json
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import Deadline, now
from glific_gpt.database import owned, transaction
from glific_gpt.errors import (
    CredentialInactive,
    CredentialMissing,
    CredentialNotVerified,
    GlificGptError,
    NotFound,
    ProviderUnreachable,
    WrongRegion,
)
from glific_gpt.openai.hosts import host_of
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.credentials.providers import KeyCheckResult, Provider, SecretFields, read_fields
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.vault import Vault

if TYPE_CHECKING:
    from glific_gpt.openai.vector_stores import VectorStores

ADDRESS = "base_url"
"""The only field of a credential that is no secret. It is encrypted with the others, which binds them to it."""
VERIFY_SECONDS = 10
"""Time limit for the check of a key at its provider."""


def save_credential(
    vault: Vault,
    slug: str,
    provider: Provider,
    values: dict[str, SecretStr],
    *,
    is_active: bool,
    verify: bool,
    base_url: str | None = None,
) -> Credential:
    """Create or replace an organization's credential. With `verify`, the key is checked at the provider first.

    The key is sent to `base_url`, by default to the server's own address. Raises NotFound, InvalidValue,
    CredentialNotVerified and ProviderUnreachable. Nothing is changed then.
    """
    with transaction() as session:
        organization_id = organizations.find(session, slug).id
    fields = read_fields(provider, values, base_url)
    # Between two transactions, because no transaction may be open during a network request.
    check_result = _verify(provider, fields) if verify else None
    with transaction() as session:
        credential = find_or_none(session, organization_id, provider) or Credential(
            organization_id=organization_id, provider=provider.name
        )
        _fill(credential, vault, provider, fields, check_result)
        credential.is_active = is_active
        session.add(credential)
        _record_saved(session, credential)
    return credential


def find_or_none(session: Session, organization_id: int, provider: Provider) -> Credential | None:
    """Return the organization's credential at the provider, or None."""
    return session.scalar(owned(Credential, organization_id).where(Credential.provider == provider.name))


def find(session: Session, organization_id: int, provider: Provider) -> Credential:
    """Return the organization's credential at the provider. Raises NotFound."""
    credential = find_or_none(session, organization_id, provider)
    if credential is None:
        raise NotFound(f"This organization has no key for {provider.label}. Save one first.")
    return credential


def set_active(session: Session, organization_id: int, provider: Provider, *, is_active: bool) -> Credential:
    """Activate or deactivate a credential, from the next call on. Raises NotFound."""
    credential = find(session, organization_id, provider)
    if credential.is_active != is_active:
        credential.is_active = is_active
        session.flush()
        action = Action.CREDENTIAL_ACTIVATED if is_active else Action.CREDENTIAL_DEACTIVATED
        trail.record(session, action, organization_id, provider=provider.name, last4=credential.last4)
    return credential


def delete(session: Session, organization_id: int, provider: Provider) -> None:
    """Delete a credential, from the next call on. Raises NotFound."""
    credential = find(session, organization_id, provider)
    session.delete(credential)
    trail.record(session, Action.CREDENTIAL_DELETED, organization_id, provider=provider.name, last4=credential.last4)


def decrypt(vault: Vault, organization_id: int, provider: Provider, ciphertext: str) -> SecretFields:
    """Return the provider's fields. Do not keep them longer than the call. Raises NotReady."""
    plain = json.loads(vault.decrypt(organization_id, provider.name, ciphertext))
    # Without validation: a key that was saved under older rules may still work.
    values: dict[str, Any] = {name: value if name == ADDRESS else SecretStr(value) for name, value in plain.items()}
    return provider.fields.model_construct(**values)


def _fill(
    credential: Credential, vault: Vault, provider: Provider, fields: SecretFields, check_result: KeyCheckResult | None
) -> None:
    secrets = provider.fields.model_fields.keys() - {ADDRESS}
    plain = {name: getattr(fields, name).get_secret_value() for name in secrets}
    if fields.base_url is not None:  # an older release cannot read it, and no key needs it
        plain[ADDRESS] = fields.base_url
    credential.ciphertext = vault.encrypt(credential.organization_id, provider.name, json.dumps(plain))
    credential.base_url = fields.base_url
    credential.last4 = provider.last4(fields)
    # Without a check both are cleared, because the old values are about another key.
    credential.verified_at = now() if check_result else None
    credential.models = check_result.models if check_result else None


def _record_saved(session: Session, credential: Credential) -> None:
    trail.record(
        session,
        Action.CREDENTIAL_SAVED,
        credential.organization_id,
        provider=credential.provider,
        last4=credential.last4,
        is_active=credential.is_active,
        verified=credential.verified_at is not None,
        **({"host": host_of(credential.base_url)} if credential.base_url else {}),
    )


def _verify(provider: Provider, fields: SecretFields) -> KeyCheckResult:
    try:
        return provider.verify(fields, Deadline.after(VERIFY_SECONDS))
    except GlificGptError as error:
        not_verified = ProviderUnreachable if error.error_class == "service" else CredentialNotVerified
        offered = error.base_url if isinstance(error, WrongRegion) else None
        raise not_verified(
            f"Nothing was saved. {error} To save the key without asking {provider.label}, "
            'use --no-verify, or "verify": false in the JSON API.',
            reason=str(error),
            base_url=offered,
        ) from None


def check_typed_key(provider: Provider, values: dict[str, SecretStr], base_url: str | None = None) -> KeyCheckResult:
    """Check a typed key at the provider. Nothing is saved.

    Raises InvalidValue for a malformed key, and the provider's error for a refused one.
    """
    return _ask(provider, read_fields(provider, values, base_url))


def check_saved_key(vault: Vault, organization_id: int, provider: Provider) -> KeyCheckResult:
    """Check the saved key at the provider. Raises CredentialMissing, NotReady, and the provider's error."""
    with transaction() as session:
        credential = find_or_none(session, organization_id, provider)
    return _ask(provider, _read_saved_fields(vault, provider, credential))


def open_documents(vault: Vault, organization_id: int, provider: Provider, deadline: Deadline) -> "VectorStores":
    """Return the vector stores that the saved key reaches.

    Raises CredentialMissing, CredentialInactive, NotReady, and ModelNotSupported for a server that is not OpenAI.
    """
    with transaction() as session:
        credential = find_or_none(session, organization_id, provider)
    fields = _read_saved_fields(vault, provider, credential)
    if credential and not credential.is_active:
        raise CredentialInactive
    return provider.documents(fields, deadline)


def recheck_saved_key(vault: Vault, organization_id: int, provider: Provider) -> KeyCheckResult:
    """Check the saved key and store the models that it can use now. Raises the same errors as `check_saved_key`."""
    with transaction() as session:
        checked = find_or_none(session, organization_id, provider)
    result = _ask(provider, _read_saved_fields(vault, provider, checked))
    # No transaction is open during the check, so the key may have been replaced in between: see `_save_check`.
    with transaction() as session:
        if checked:
            _save_check(session, checked, result)
    return result


def _save_check(session: Session, checked: Credential, result: KeyCheckResult) -> None:
    """Store the result of a check, unless another key was saved during the check."""
    same = (Credential.id == checked.id, Credential.ciphertext == checked.ciphertext)
    # updated_at keeps its value: pages count errors of OpenAI since the key was saved. Its column has an `onupdate`.
    values = {"verified_at": now(), "models": result.models, "updated_at": Credential.updated_at}
    session.execute(update(Credential).where(*same).values(values))


def _ask(provider: Provider, fields: SecretFields) -> KeyCheckResult:
    return provider.verify(fields, Deadline.after(VERIFY_SECONDS))


def _read_saved_fields(vault: Vault, provider: Provider, credential: Credential | None) -> SecretFields:
    if credential is None:
        raise CredentialMissing
    return decrypt(vault, credential.organization_id, provider, credential.ciphertext)
