"""Model fields: the models that can be used now, and the default model."""

from collections.abc import Collection, Sequence
from typing import cast

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from markupsafe import Markup
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from glific_gpt.console.access import current_organization
from glific_gpt.console.forms import opened_values
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


class ModelForm(Form):
    """Choice of one model of the organization: a model that can be used, or what an empty value stands for."""

    setting: str
    """The setting, which is also the name of the field."""
    opened = ""
    """The value with which the person opened the form."""

    @property
    def choice(self) -> SelectField:
        return cast("SelectField", self[self.setting])

    @property
    def chosen(self) -> str:
        return self.choice.data or ""

    def describe_empty(self) -> str:
        """Return the name of the empty choice."""
        return str(_("None"))

    def hidden_inputs(self) -> Markup:
        """Return the input that carries the opened value."""
        return opened_values.hidden_inputs({self.setting: self.opened})

    def set_choices(self, organization: Organization, usable: Sequence[str]) -> None:
        """Set the choices. The saved model stays a choice even if it can no longer be used."""
        saved = self.saved(organization)
        unusable = [saved] if saved and saved not in usable else []
        self.choice.choices = [
            ("", self.describe_empty()),
            *((model, _("%(model)s (cannot be used)", model=model)) for model in unusable),
            *((model, model) for model in usable),
        ]
        if self.choice.data is None:
            self.choice.data = saved
        opened = opened_values.read_opened(self.setting)
        # After a conflict, the person has seen the value of the colleague.
        self.opened = saved if opened is None or self.has_conflict(organization) else opened

    def saved(self, organization: Organization) -> str:
        return getattr(organization, self.setting) or ""

    @property
    def is_changed(self) -> bool:
        return opened_values.is_changed(self.setting, self.chosen)

    def has_conflict(self, organization: Organization) -> bool:
        """Return whether the person and a colleague have chosen different models."""
        return opened_values.is_conflict(self.setting, self.chosen, self.saved(organization))

    def set_conflict_error(self, organization: Organization) -> None:
        """Show the model that the colleague has chosen."""
        self.choice.errors = [opened_values.describe_conflict(self.saved(organization) or self.describe_empty())]


class DefaultModelForm(ModelForm):
    """Choice of the default model. Empty is the server's default."""

    setting = "default_model"
    default_model = SelectField(lazy_gettext("Default model"), validate_choice=False)

    def describe_empty(self) -> str:
        return str(_("Default of the server (%(model)s)", model=services().settings.default_model))


class FallbackModelForm(ModelForm):
    """Choice of the fallback model. Empty is none."""

    setting = "fallback_model"
    fallback_model = SelectField(lazy_gettext("Fallback model"), validate_choice=False)


def refused_default_model(
    organization: Organization, server_allowlist: Sequence[str] | None, own_allowlist: Sequence[str] | None
) -> str | None:
    """Return the default model if these allowlists refuse it, otherwise None.

    Calls that do not name a model would then fail.
    """
    settings = services().settings
    model = organization.default_model or settings.default_model
    return model if allowlist.access_error(model, settings.models, server_allowlist, own_allowlist) else None
