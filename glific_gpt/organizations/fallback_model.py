"""The rule for the fallback model of an organization: every list of allowed models applies to it."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from glific_gpt.errors import Conflict
from glific_gpt.models import allowlist
from glific_gpt.organizations import server_models
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.organizations.tables import Organization


def require_allowed(
    session: Session, organization: Organization, changes: OrganizationChanges, operator: Sequence[str]
) -> None:
    """Raise Conflict if these changes, which are applied already, set a fallback model that may not be used.

    `operator` has the operator's patterns. A list that is narrowed later is not checked here: a fallback model that is
    not allowed at the time of a call is not asked.
    """
    model = changes.given_values().get("fallback_model")
    if model is None:
        return
    administrators = server_models.find_allowed_models(session)
    refusal = allowlist.access_error(
        allowlist.canonical_id(model), operator, administrators, organization.allowed_models
    )
    if refusal:
        raise Conflict(f"fallback_model: {refusal}")
