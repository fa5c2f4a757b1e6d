"""What the page of an organization's models shows."""

from dataclasses import dataclass
from datetime import datetime

from glific_gpt.console.forms import default_model
from glific_gpt.console.forms.allow import AllowForm
from glific_gpt.console.shown.model_rows import Rows, rows
from glific_gpt.credentials import models, store
from glific_gpt.credentials.models import Model
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import transaction
from glific_gpt.organizations import server_models
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services


@dataclass(frozen=True)
class ModelsPage:
    """The models of the organization's key, under the list as it stands in a form."""

    rows: Rows
    refused_default: str | None
    """The default model, if the list leaves calls that name none without an answer."""
    has_key: bool
    asked_at: datetime | None
    """When OpenAI said which models there are; None where the list is only what this server knows."""


def models_page(organization: Organization, form: AllowForm) -> ModelsPage:
    credential, administrators = _look_up(organization)
    above = _judged(credential, administrators, None)
    asked = credential is not None and credential.models is not None
    return ModelsPage(
        rows=rows(above, form),
        refused_default=default_model.refused(organization, administrators, form.wanted),
        has_key=credential is not None,
        asked_at=credential.verified_at if credential and asked else None,
    )


def usable_now(organization: Organization) -> list[str]:
    """The models that calls may use as everything is stored, by name."""
    found = _judged(*_look_up(organization), organization.allowed_models)
    return sorted(model.id for model in found if model.refusal is None)


def _look_up(organization: Organization) -> tuple[Credential | None, list[str] | None]:
    with transaction() as session:
        credential = store.find_if_any(session, organization.id, services().language_models)
        return credential, server_models.find(session)


def _judged(credential: Credential | None, administrators: list[str] | None, own: list[str] | None) -> list[Model]:
    return models.judged(models.ids_of(credential), services().settings.models, administrators, own)
