"""Helper that reads statistics in a transaction, as pages do."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from tests.support.server import TestOrganization

Result = TypeVar("Result")


def read_usage(
    test_organization: TestOrganization, function: Callable[[Session, Organization, Credential | None], Result]
) -> Result:
    """Call the function with a session, the organization and its key."""
    with test_organization.server.app.app_context(), transaction() as session:
        organization = store.find(session, test_organization.slug)
        key = credentials.find_or_none(session, organization.id, test_organization.server.services.model_provider)
        return function(session, organization, key)
