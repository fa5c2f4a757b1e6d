"""Asking a provider about a key without saving one: about a key that was typed, or about the saved one."""

from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.orm import Session

from glific_gpt.clock import Deadline, now
from glific_gpt.credentials import store
from glific_gpt.credentials.provider import Provider, SecretFields, Verdict, read_fields
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import transaction
from glific_gpt.errors import CredentialMissing
from glific_gpt.vault import UnreadableSecret, Vault


def about_typed(provider: Provider, values: dict[str, SecretStr]) -> Verdict:
    """Raises InvalidValue for what can be no key, and what the provider says of one that it does not accept."""
    return _ask(provider, read_fields(provider, values))


def about_saved(vault: Vault, organization_id: int, provider: Provider) -> Verdict:
    """Raises CredentialMissing, and what the provider says of a key that it does not accept."""
    with transaction() as session:
        credential = store.find_if_any(session, organization_id, provider)
    return _ask(provider, _fields(vault, provider, credential))


def again(vault: Vault, organization_id: int, provider: Provider) -> Verdict:
    """Asks about the saved key, and keeps which models it reaches now. Raises as `about_saved`."""
    with transaction() as session:
        asked = store.find_if_any(session, organization_id, provider)
    verdict = _ask(provider, _fields(vault, provider, asked))
    with transaction() as session:
        if asked:
            _keep(session, asked, verdict)
    return verdict


def _keep(session: Session, asked: Credential, verdict: Verdict) -> None:
    """Not where another key was saved meanwhile, of which nothing was asked."""
    same = (Credential.id == asked.id, Credential.ciphertext == asked.ciphertext)
    # When it was saved says since when OpenAI's complaints count, so it stays.
    kept = {"verified_at": now(), "models": verdict.models, "updated_at": Credential.updated_at}
    session.execute(update(Credential).where(*same).values(kept))


def _ask(provider: Provider, fields: SecretFields) -> Verdict:
    return provider.verify(fields, Deadline.after(store.VERIFY_SECONDS))


def _fields(vault: Vault, provider: Provider, credential: Credential | None) -> SecretFields:
    if credential is None:
        raise CredentialMissing
    try:
        return store.decrypt(vault, credential.organization_id, provider, credential.ciphertext)
    except UnreadableSecret:
        raise CredentialMissing("The saved key cannot be read any more: enter it once again.") from None
