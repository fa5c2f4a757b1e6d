"""The steps from a new organization to its first answer, and which of them are done."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call
from glific_gpt.credentials import reachable_models
from glific_gpt.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization, WebhookToken


@dataclass(frozen=True)
class SetupChecklist:
    """Each step, in its order: done or not."""

    key: bool
    """A key is saved and switched on."""
    model: bool
    """At least one text model that the key reaches is allowed."""
    token: bool
    """There is a token for webhook nodes."""
    call: bool
    """A call was answered."""

    @property
    def done(self) -> bool:
        return all(astuple(self))


def build_checklist(
    session: Session, organization: Organization, credential: Credential | None, operator: Sequence[str]
) -> SetupChecklist:
    """With the operator's list of models, to which the organization's own can only add limits."""
    tokens = WebhookToken.organization_id == organization.id
    answered = (Call.organization_id == organization.id, Call.status == "ok")
    return SetupChecklist(
        key=credential is not None and credential.is_active,
        model=any(
            model.refusal is None for model in reachable_models.list_reachable_models(session, organization, credential, operator)
        ),
        token=bool(session.scalar(select(exists().where(tokens)))),
        call=bool(session.scalar(select(exists().where(*answered)))),
    )
