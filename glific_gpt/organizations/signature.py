"""The signature phrase that an organization shares with Glific: written and cleared, read by the webhook alone."""

from glific_gpt.errors import InvalidValue
from glific_gpt.glific.signature import is_usable_phrase
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import Vault

PURPOSE = "signature_phrase"
MAX_LENGTH = 1000


def set_phrase(organization: Organization, phrase: str, vault: Vault) -> None:
    """Raises InvalidValue for a phrase that anybody could guess."""
    if len(phrase) > MAX_LENGTH:
        raise InvalidValue(f"A phrase has {MAX_LENGTH} characters at most.")
    if not is_usable_phrase(phrase):
        raise InvalidValue(
            "This phrase cannot be used: it must not be empty, nor the one that Glific uses when none is set."
        )
    organization.signature_phrase = vault.encrypt(organization.id, PURPOSE, phrase)


def clear_phrase(organization: Organization) -> None:
    """Nothing can be signed any more; an organization that requires signatures then lets nobody in."""
    organization.signature_phrase = None
