"""Signature phrase that an organization shares with Glific: setting and deleting it. Only the webhook reads it."""

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
    """Encrypt and store the phrase. Raises InvalidValue for an empty, too long or publicly known phrase."""
    if len(phrase) > MAX_PHRASE_LENGTH:
        raise InvalidValue(f"The webhook signature is too long. Use at most {MAX_PHRASE_LENGTH} characters.")
    if not is_usable_phrase(phrase):
        raise InvalidValue(
            N_("This webhook signature cannot be used. Set your own in Glific, under Settings > Organization.")
        )
    organization.signature_phrase = vault.encrypt(organization.id, PURPOSE, phrase)
    trail.record(session, Action.SIGNATURE_PHRASE_SET, organization.id)


def clear_phrase(session: Session, organization: Organization) -> None:
    """Delete the phrase. If the organization requires signatures, all its calls are refused from then on."""
    if organization.signature_phrase is not None:
        organization.signature_phrase = None
        trail.record(session, Action.SIGNATURE_PHRASE_CLEARED, organization.id)
