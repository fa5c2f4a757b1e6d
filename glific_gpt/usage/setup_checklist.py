"""Setup checklist: the steps from a new organization to the first answer of its flow."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call, DailyTotals
from glific_gpt.organizations.credentials import reachable_models
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization

IS_OF_FLOW = or_(
    Call.is_test.is_(False),
    and_(Call.is_test.is_(None), or_(Call.flow_id.is_not(None), Call.contact_id.is_not(None))),
)
"""True for a call that came with a webhook token or a signature. Test questions of the console have no ids of Glific,
which tells them apart in calls of earlier releases."""


@dataclass(frozen=True)
class SetupChecklist:
    """State of each step, in the order of the steps."""

    key: bool
    """A key is saved and active."""
    model: bool
    """At least one text model that the key can use is allowed."""
    test: bool
    """A call was answered, be it a test question or a call of a flow."""
    flow: bool
    """A flow has called, with a webhook token or a signature."""
    call: bool
    """A call of a flow was answered."""

    @property
    def is_complete(self) -> bool:
        return all(astuple(self))


def build_checklist(
    session: Session, organization: Organization, credential: Credential | None, operator: Sequence[str]
) -> SetupChecklist:
    """Return the organization's checklist. `operator` holds the operator's model patterns."""
    models = reachable_models.list_reachable_models(session, organization, credential, operator)
    of_organization = Call.organization_id == organization.id
    is_answered = Call.status == "ok"
    # Deleted calls do not say who made them. They are old, so the organization is set up.
    is_deleted = DailyTotals.organization_id == organization.id
    answered_before = exists().where(is_deleted, DailyTotals.failure == "")
    row = session.execute(
        select(
            or_(exists().where(of_organization, is_answered), answered_before).label("test"),
            or_(exists().where(of_organization, IS_OF_FLOW), exists().where(is_deleted)).label("flow"),
            or_(exists().where(of_organization, IS_OF_FLOW, is_answered), answered_before).label("call"),
        )
    ).one()
    return SetupChecklist(
        key=credential is not None and credential.is_active,
        model=any(model.refusal is None for model in models),
        test=bool(row.test),
        flow=bool(row.flow),
        call=bool(row.call),
    )
