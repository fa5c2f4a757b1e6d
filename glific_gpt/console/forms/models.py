"""Model fields: the models that can be used now, and the default model."""

from collections.abc import Collection, Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from glific_gpt.console.access import current_organization
from glific_gpt.console.forms.base import Form
from glific_gpt.database import transaction
from glific_gpt.functions.contract import Need
from glific_gpt.functions.needs import find_refusal
from glific_gpt.models import allowlist
from glific_gpt.organizations.credentials import reachable_models
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services


def set_model_choices(field: SelectField, needs: Collection[Need] = ()) -> None:
    """Set the choices to the models that the current organization can use, and that have these capabilities.

    Its default model is selected.
    """
    allowed = [model for model in _allowed_models() if find_refusal(model, needs) is None]
    default = current_organization().default_model or services().settings.default_model
    field.choices = [
        SelectChoice(model, _("%(model)s (the default)", model=model) if model == default else model)
        for model in allowed
    ]
    if not field.data:
        field.data = default if default in allowed else None


def _allowed_models() -> list[str]:
    app = services()
    with transaction() as session:
        credential = credentials.find_or_none(session, current_organization().id, app.model_provider)
        found = reachable_models.list_reachable_models(session, current_organization(), credential, app.settings.models)
    return [model.id for model in found if model.refusal is None]


SERVER_DEFAULT = ""


class DefaultModelForm(Form):
    """Choice of the default model: a model that can be used, or the server's default."""

    default_model = SelectField(lazy_gettext("Default model"), validate_choice=False)

    def set_choices(self, organization: Organization, usable: Sequence[str]) -> None:
        """Set the choices. The saved model stays a choice even if it can no longer be used."""
        server_default = services().settings.default_model
        saved = organization.default_model
        unusable = [saved] if saved and saved not in usable else []
        self.default_model.choices = [
            (SERVER_DEFAULT, _("Default of the server (%(model)s)", model=server_default)),
            *((model, _("%(model)s (cannot be used)", model=model)) for model in unusable),
            *((model, model) for model in usable),
        ]
        if not self.is_submitted():
            self.default_model.data = saved or SERVER_DEFAULT


NO_FALLBACK = ""


class FallbackModelForm(Form):
    """Choice of the fallback model: a model that can be used, or none."""

    fallback_model = SelectField(lazy_gettext("Fallback model"), validate_choice=False)

    def set_choices(self, organization: Organization, usable: Sequence[str]) -> None:
        """Set the choices. The saved model stays a choice even if it can no longer be used."""
        saved = organization.fallback_model
        unusable = [saved] if saved and saved not in usable else []
        self.fallback_model.choices = [
            (NO_FALLBACK, _("None")),
            *((model, _("%(model)s (cannot be used)", model=model)) for model in unusable),
            *((model, model) for model in usable),
        ]
        if not self.is_submitted():
            self.fallback_model.data = saved or NO_FALLBACK


def refused_default_model(
    organization: Organization, server_allowlist: Sequence[str] | None, own_allowlist: Sequence[str] | None
) -> str | None:
    """Return the default model if these allowlists refuse it, otherwise None.

    Calls that do not name a model would then fail.
    """
    settings = services().settings
    model = organization.default_model or settings.default_model
    return model if allowlist.access_error(model, settings.models, server_allowlist, own_allowlist) else None
