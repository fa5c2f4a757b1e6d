"""A conversation with a flow as one organization's Glific would hold it, with a person who is not there."""

import secrets

from glific_gpt.connections.store import phrase_of
from glific_gpt.database import transaction
from glific_gpt.flows.files import Export
from glific_gpt.flows.simulator import Contact, Conversation, Organization
from glific_gpt.organizations import store
from glific_gpt.services import services

SOME_GLIFIC_ID = 1
"""Glific's id of an organization that has not said it, so none is checked."""


def rehearsal(slug: str, export: Export) -> Conversation:
    """Not begun yet. Its calls are real ones. Raises NotFound.

    The organization's phrase signs those to this server alone, as the file may be anybody's: with a signed body
    in hand, whoever answers elsewhere could call here.
    """
    with transaction() as session:
        row = store.find(session, slug)
    organization = Organization(
        glific_id=row.glific_organization_id or SOME_GLIFIC_ID,
        signature_phrase=phrase_of(services().vault, row),
        signed_server=services().settings.public_url,
    )
    return Conversation(export, organization=organization, contact=_nobody())


def _nobody() -> Contact:
    """Somebody new each time: limits count by contact, and a late answer must find nobody in the real Glific."""
    number = 10**9 + secrets.randbelow(10**9)
    return Contact(id=number, name="Glific Simulator", phone=f"91{number}", fields={})
