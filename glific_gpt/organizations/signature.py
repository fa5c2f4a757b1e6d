"""The signature phrase that an organization shares with Glific: written and cleared, read by the webhook alone."""

from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.errors import N_, InvalidValue
from glific_gpt.glific.signature import is_usable_phrase
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import Vault

PURPOSE = "signature_phrase"
MAX_PHRASE_LENGTH = 1000


def set_phrase(session: Session, organization: Organization, phrase: str, vault: Vault) -> None:
    """Raises InvalidValue for a phrase that anybody could guess."""
    if len(phrase) > MAX_PHRASE_LENGTH:
        raise InvalidValue(f"A phrase has {MAX_PHRASE_LENGTH} characters at most.")
    if not is_usable_phrase(phrase):
        raise InvalidValue(
            N_("This phrase cannot be used: it must not be empty, nor the one that Glific uses when none is set.")
        )
    organization.signature_phrase = vault.encrypt(organization.id, PURPOSE, phrase)
    trail.record(session, Action.SIGNATURE_PHRASE_SET, organization.id)


def clear_phrase(session: Session, organization: Organization) -> None:
    """Nothing can be signed any more; an organization that requires signatures then lets nobody in."""
    if organization.signature_phrase is not None:
        organization.signature_phrase = None
        trail.record(session, Action.SIGNATURE_PHRASE_CLEARED, organization.id)
