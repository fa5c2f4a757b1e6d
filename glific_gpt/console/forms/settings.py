"""The form of the signature phrase: written, never shown again."""

from typing import Any

from flask_babel import lazy_gettext as _
from pydantic import ValidationError
from wtforms import BooleanField, PasswordField, StringField, TextAreaField

from glific_gpt.console.forms.base import Form
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.organizations.tables import Organization

FIELD = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class PhraseForm(Form):
    """One secret."""

    phrase = PasswordField(_("Webhook signature"), render_kw=FIELD)


TEXTS = ("name", "fallback_message", "monthly_budget_usd")
NUMBERS = ("glific_organization_id", "contact_daily_limit")
SWITCHES = ("require_signature", "is_active")
WRONG = {
    "name": _("Write a name of 1 to 200 characters."),
    "fallback_message": _("Write a text that contacts can see, of at most 4096 characters."),
    "glific_organization_id": _("Enter a whole number, such as 17. Leave it empty if you do not know it."),
    "contact_daily_limit": _("Enter a whole number of 1 or more. Leave it empty for no limit."),
    "monthly_budget_usd": _("Enter an amount in US dollars up to 1000000, such as 25 or 12.50."),
}


class SettingsForm(Form):
    """Everything is text, so that what was typed can be shown again."""

    name = StringField(_("Name"))
    fallback_message = TextAreaField(_("Message when there is no answer"), render_kw={"rows": 3})
    glific_organization_id = StringField(_("Glific organization ID"), render_kw={"inputmode": "numeric"})
    contact_daily_limit = StringField(_("Answers for each contact in 24 hours"), render_kw={"inputmode": "numeric"})
    monthly_budget_usd = StringField(_("Monthly budget in US dollars"), render_kw={"inputmode": "decimal"})
    require_signature = BooleanField(_("Require the webhook signature"))
    is_active = BooleanField(_("Organization is active"))

    def show(self, organization: Organization) -> None:
        """What is stored."""
        for name in (*TEXTS, *NUMBERS):
            value = getattr(organization, name)
            self[name].data = "" if value is None else _plain(value)
        for name in set(SWITCHES) & self._fields.keys():
            self[name].data = getattr(organization, name)

    def changes(self) -> OrganizationChanges | None:
        """What to change; None when the form now says what is wrong."""
        try:
            return OrganizationChanges(**self._values())
        except ValidationError as error:
            for name in {str(one["loc"][0]) for one in error.errors(include_input=False, include_url=False)}:
                self[name].errors = [str(WRONG[name])]
            return None

    def _values(self) -> dict[str, Any]:
        texts = {name: (self[name].data or "").strip() or None for name in TEXTS}
        numbers = {name: _number(self[name].data or "") for name in NUMBERS}
        switches = {name: bool(self[name].data) for name in set(SWITCHES) & self._fields.keys()}
        return texts | numbers | switches


def _number(typed: str) -> int | str | None:
    """What is no number is left to the check that says so."""
    try:
        return int(typed) if typed.strip() else None
    except ValueError:
        return typed


def _plain(value: object) -> str:
    return f"{value:f}" if hasattr(value, "as_tuple") else str(value)
