"""Simulate a conversation with a flow in one organization's Glific, with an invented contact."""

import secrets

from pydantic import SecretStr

from glific_gpt.database import transaction
from glific_gpt.errors import NotReady
from glific_gpt.flows.files import Export
from glific_gpt.flows.simulator import Contact, Conversation, GlificOrganization
from glific_gpt.operations.ready_flows.http_sender import HttpSender
from glific_gpt.organizations import store
from glific_gpt.organizations.connections.store import decrypt_phrase
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

PLACEHOLDER_GLIFIC_ID = 1
"""Sent if the organization's id in Glific is not set; the server then does not check it."""


def _readable_phrase(organization: Organization) -> SecretStr | None:
    try:
        return decrypt_phrase(services().vault, organization)
    except NotReady:  # flows with a token are simulated all the same
        return None


def create_simulation(slug: str, export: Export) -> Conversation:
    """Return a conversation that has not started. It makes real webhook calls. Raises NotFound.

    The organization's phrase signs calls to this server only: the file may come from anyone, and a server that
    received a signed body could replay it here.
    """
    with transaction() as session:
        organization = store.find(session, slug)
    glific_organization = GlificOrganization(
        glific_id=organization.glific_organization_id or PLACEHOLDER_GLIFIC_ID,
        signature_phrase=_readable_phrase(organization),
        signed_server=services().settings.public_url,
    )
    return Conversation(export, send=HttpSender(), organization=glific_organization, contact=_invent_contact())


def _invent_contact() -> Contact:
    """Return a new contact each time: limits count by contact, and no contact of Glific may get a later answer."""
    number = 10**9 + secrets.randbelow(10**9)
    return Contact(id=number, name="Glific Simulator", phone=f"91{number}", fields={})
