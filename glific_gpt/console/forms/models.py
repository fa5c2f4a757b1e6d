"""Model fields: the models that may be used now, and the default model."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from glific_gpt.console.access import organization
from glific_gpt.console.forms.base import Form
from glific_gpt.credentials import reachable_models
from glific_gpt.credentials import store as credentials
from glific_gpt.database import transaction
from glific_gpt.models import allowlist
from glific_gpt.organizations.tables import Organization
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
        found = reachable_models.reachable(session, organization(), credential, app.settings.models)
    return [model.id for model in found if model.refusal is None]


SERVERS_OWN = ""


class DefaultForm(Form):
    """One of the models that may be used, or the server's."""

    default_model = SelectField(lazy_gettext("Default model"), validate_choice=False)

    def offer(self, organization: Organization, usable: Sequence[str]) -> None:
        """What is set now stays among the choices, whatever the lists say."""
        own = services().settings.default_model
        now = organization.default_model
        others = [now] if now and now not in usable else []
        self.default_model.choices = [
            (SERVERS_OWN, _("Default of the server (%(model)s)", model=own)),
            *((model, _("%(model)s (cannot be used)", model=model)) for model in others),
            *((model, model) for model in usable),
        ]
        if not self.is_submitted():
            self.default_model.data = now or SERVERS_OWN


def refused(
    organization: Organization, administrators: Sequence[str] | None, allowed: Sequence[str] | None
) -> str | None:
    """The default model, if calls that name none would be refused under that list."""
    settings = services().settings
    model = organization.default_model or settings.default_model
    return model if allowlist.refusal(model, settings.models, administrators, allowed) else None
