"""The model of calls that name none: what can be chosen, and whether it may be used."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import SelectField

from glific_gpt.catalogue import policy
from glific_gpt.console.forms.base import Form
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

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
            (SERVERS_OWN, _("The server's (%(model)s)", model=own)),
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
    return model if policy.refusal(model, settings.models, administrators, allowed) else None
