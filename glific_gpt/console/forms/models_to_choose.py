"""The models that may be used now, as the choices of a field."""

from flask_babel import lazy_gettext as _
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from glific_gpt.console.lock import organization
from glific_gpt.credentials import models
from glific_gpt.credentials import store as credentials
from glific_gpt.database import transaction
from glific_gpt.services import services


def offer_models(field: SelectField) -> None:
    """The organization's, its default one chosen."""
    allowed, default = _allowed(), organization().default_model or services().settings.default_model
    field.choices = [
        SelectChoice(model, _("%(model)s (the default)", model=model) if model == default else model)
        for model in allowed
    ]
    if not field.data:
        field.data = default if default in allowed else None


def _allowed() -> list[str]:
    app = services()
    with transaction() as session:
        credential = credentials.find_if_any(session, organization().id, app.language_models)
        found = models.reachable(session, organization(), credential, app.settings.models)
    return [model.id for model in found if model.refusal is None]
