"""Setup checklist: the steps from a new organization to its first answer."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call, DailyTotals
from glific_gpt.credentials import reachable_models
from glific_gpt.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization, WebhookToken


@dataclass(frozen=True)
class SetupChecklist:
    """State of each step, in the order of the steps."""

    key: bool
    """A key is saved and active."""
    model: bool
    """At least one text model that the key can use is allowed."""
    token: bool
    """A webhook token exists."""
    call: bool
    """A call was successful."""

    @property
    def is_complete(self) -> bool:
        return all(astuple(self))


def build_checklist(
    session: Session, organization: Organization, credential: Credential | None, operator: Sequence[str]
) -> SetupChecklist:
    """Return the organization's checklist. `operator` holds the operator's model patterns."""
    models = reachable_models.list_reachable_models(session, organization, credential, operator)
    tokens = WebhookToken.organization_id == organization.id
    successful = exists().where(Call.organization_id == organization.id, Call.status == "ok")
    deleted = exists().where(DailyTotals.organization_id == organization.id, DailyTotals.failure == "")
    return SetupChecklist(
        key=credential is not None and credential.is_active,
        model=any(model.refusal is None for model in models),
        token=bool(session.scalar(select(exists().where(tokens)))),
        call=bool(session.scalar(select(or_(successful, deleted)))),
    )
