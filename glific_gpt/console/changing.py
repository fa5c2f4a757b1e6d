"""Changing settings of the organization that a page is about."""

from glific_gpt.console.lock import organization
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.organizations.changes import OrganizationChanges


def change(changes: OrganizationChanges) -> None:
    """As it is in the database by now, not as it was when the page was asked for."""
    with transaction() as session:
        store.change(session, store.find(session, organization().slug), changes)
