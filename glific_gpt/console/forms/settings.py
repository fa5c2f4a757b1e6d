"""Forms of the settings page: the settings, and the webhook signature."""

from typing import Any

from flask_babel import lazy_gettext as _
from pydantic import ValidationError
from wtforms import BooleanField, EmailField, PasswordField, StringField, TextAreaField

from glific_gpt.console.forms.base import Form
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.organizations.tables import Organization

SECRET_FIELD_ATTRIBUTES = {
    "autocomplete": "off",
    "spellcheck": "false",
    "autocapitalize": "off",
    "data-private": "",
}


class SignatureForm(Form):
    """The webhook signature, a secret that is never sent back to the browser."""

    phrase = PasswordField(_("Webhook signature"), render_kw=SECRET_FIELD_ATTRIBUTES)


TEXT_FIELDS = ("name", "fallback_message", "monthly_budget_usd", "alert_email")
NUMBER_FIELDS = (
    *("glific_organization_id", "contact_daily_limit", "calls_per_minute", "contact_calls_per_minute"),
    "memory_hours",
)
SWITCH_FIELDS = ("require_signature", "fetch_images", "is_active")
FIELD_ERRORS = {
    "name": _("Write a name of 1 to 200 characters."),
    "fallback_message": _("Write a text that contacts can see, of at most 4095 characters."),
    "glific_organization_id": _("Enter a whole number, such as 17. Leave it empty if you do not know it."),
    "contact_daily_limit": _("Enter a whole number from 1 to 10,000. Leave it empty for no limit."),
    "calls_per_minute": _("Enter a whole number from 1 to 100000. Leave it empty for no limit."),
    "contact_calls_per_minute": _("Enter a whole number from 1 to 100000. Leave it empty for no limit."),
    "alert_email": _("This is not an e-mail address."),
    "monthly_budget_usd": _("Enter an amount in US dollars up to 1000000, such as 25 or 12.50."),
    "memory_hours": _("Enter a whole number of hours from 1 to 168. Leave it empty for 24 hours."),
}


class SettingsForm(Form):
    """Settings of an organization. Numbers are text fields, so that a wrong value can be shown again."""

    name = StringField(_("Name"))
    fallback_message = TextAreaField(_("Message when there is no answer"), render_kw={"rows": 3})
    glific_organization_id = StringField(_("Glific organization ID"), render_kw={"inputmode": "numeric"})
    contact_daily_limit = StringField(_("Answers for each contact in 24 hours"), render_kw={"inputmode": "numeric"})
    calls_per_minute = StringField(_("Calls per minute"), render_kw={"inputmode": "numeric"})
    contact_calls_per_minute = StringField(_("Calls per minute for each contact"), render_kw={"inputmode": "numeric"})
    monthly_budget_usd = StringField(_("Monthly budget in US dollars"), render_kw={"inputmode": "decimal"})
    memory_hours = StringField(_("Hours of memory"), render_kw={"inputmode": "numeric"})
    alert_email = EmailField(_("E-mail address for alerts"))
    require_signature = BooleanField(_("Require the webhook signature"))
    fetch_images = BooleanField(_("This server downloads pictures"))
    is_active = BooleanField(_("Organization is active"))

    def show(self, organization: Organization) -> None:
        """Fill the form from the stored settings."""
        for name in (*TEXT_FIELDS, *NUMBER_FIELDS):
            value = getattr(organization, name)
            self[name].data = "" if value is None else _format_value(value)
        # The view removes `is_active` for everyone but administrators.
        for name in set(SWITCH_FIELDS) & self._fields.keys():
            self[name].data = getattr(organization, name)

    def changes(self) -> OrganizationChanges | None:
        """Return the changes, or None if the form now has errors."""
        try:
            return OrganizationChanges(**self._values())
        except ValidationError as error:
            for name in {str(detail["loc"][0]) for detail in error.errors(include_input=False, include_url=False)}:
                self[name].errors = [str(FIELD_ERRORS[name])]
            return None

    def _values(self) -> dict[str, Any]:
        texts = {name: (self[name].data or "").strip() or None for name in TEXT_FIELDS}
        numbers = {name: _to_number(self[name].data or "") for name in NUMBER_FIELDS}
        switches = {name: bool(self[name].data) for name in set(SWITCH_FIELDS) & self._fields.keys()}
        return texts | numbers | switches


def _to_number(text: str) -> int | str | None:
    """Return a number, or the text itself if it is not a number: the validation of the changes then refuses it."""
    try:
        return int(text) if text.strip() else None
    except ValueError:
        return text


def _format_value(value: object) -> str:
    # In fixed-point notation: the text of a Decimal can have an exponent, as in 1E+3.
    return f"{value:f}" if hasattr(value, "as_tuple") else str(value)
